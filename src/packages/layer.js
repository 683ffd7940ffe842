// One layer of an image, read as it comes: the databases of packages in it, and what it removes of the layers below. Nothing
// is written anywhere, no link is followed, and a path counts only where it is, letter by letter, one that is looked for.
import { Buffer } from 'node:buffer'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import * as zlib from 'node:zlib'
import { Parser } from 'tar'
import { mostPackages, readApk, readDpkg, Unreadable } from './databases.js'

/** @typedef {import('./package.ts').LayerFindings} LayerFindings */
/** @typedef {import('./package.ts').Compression} Compression */
/** @typedef {import('tar').ReadEntry} ReadEntry */

/** @type {Record<string, 'dpkg' | 'apk' | 'rpm'>} */
const databases = {
  'var/lib/dpkg/status': 'dpkg',
  'lib/apk/db/installed': 'apk',
  'usr/lib/apk/db/installed': 'apk',
  'var/lib/rpm/Packages': 'rpm',
  'var/lib/rpm/Packages.db': 'rpm',
  'var/lib/rpm/rpmdb.sqlite': 'rpm',
  'usr/lib/sysimage/rpm/Packages.db': 'rpm',
  'usr/lib/sysimage/rpm/rpmdb.sqlite': 'rpm',
}
/** Images without a shell have a file for each package. */
const statusFolder = 'var/lib/dpkg/status.d'
const folders = new Set(
  [...Object.keys(databases), `${statusFolder}/x`].flatMap((path) => {
    const parts = path.split('/').slice(0, -1)
    return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
  }),
)

/** Bytes of one database, and of all of a layer. */
const largestDatabase = 16 * 1024 * 1024
const mostBytes = 32 * 1024 * 1024
const mostFiles = 5_000
/** Blocks of 512 bytes that are no header of a file, after which it is plain that this is no tar file. */
const mostWrongHeaders = 20

/**
 * @param {AsyncIterable<Uint8Array>} chunks
 * @param {Compression} compression
 * @param {number} most bytes that it may unpack to
 * @returns {Promise<LayerFindings>}
 */
export async function readLayer(chunks, compression, most) {
  const layer = new Layer()
  let left = most
  const unpacked = unpackerOf(compression)
  const source = Readable.from(chunks, { highWaterMark: 1 })
  /** @type {unknown} */
  let failure
  /** @param {AsyncIterable<Uint8Array>} plain */
  const read = async (plain) => {
    try {
      for await (const bytes of plain) {
        left -= bytes.length
        if (left < 0) throw new Unreadable(`a layer unpacks to more than ${Math.round(most / 2 ** 20)} MiB`)
        if (!layer.write(bytes)) return
      }
    } catch (error) {
      failure = error
      throw error
    }
  }
  try {
    await (unpacked ? pipeline(source, unpacked, read) : pipeline(source, read))
  } catch (error) {
    // What made us stop, and not that the stream was stopped; behind the end of the tar file we stop it ourselves.
    if (failure ?? !layer.ended) throw failure ?? error
  }
  return layer.findings()
}

/** @param {Compression} compression */
function unpackerOf(compression) {
  if (compression === 'none') return undefined
  if (compression === 'gzip') return zlib.createGunzip()
  // Node.js has it from 22.15 on.
  const { createZstdDecompress } = /** @type {{ createZstdDecompress?: () => import('node:stream').Duplex }} */ (
    /** @type {unknown} */ (zlib)
  )
  if (!createZstdDecompress)
    throw new Unreadable('its layers are of zstd, which this server reads with Node.js 22.15 or newer')
  return createZstdDecompress()
}

class Layer {
  /** @type {Set<string>} */
  #removed = new Set()
  /** @type {Map<string, import('./package.ts').Database>} */
  #databases = new Map()
  #bytes = 0
  #packages = 0
  #wrongHeaders = 0
  /** @type {Buffer | undefined} */
  #head = Buffer.alloc(0)
  #ended = false
  /** @type {Error | undefined} */
  #failure
  #parser

  constructor() {
    this.#parser = new Parser({
      filter: (path, entry) => this.#see(plainPath(path), /** @type {ReadEntry} */ (entry)),
      onReadEntry: (entry) => this.#collect(plainPath(entry.path), entry),
      onwarn: (code, message) => this.#warned(code, String(message)),
    })
    this.#parser.on('eof', () => (this.#ended = true))
    this.#parser.on('error', (error) => (this.#failure ??= /** @type {Error} */ (error)))
  }

  /** False when there is nothing more to read. @param {Uint8Array} bytes */
  write(bytes) {
    const head = this.#head
    if (head) {
      const start = Buffer.concat([head, bytes])
      this.#head = start.length < 4 ? start : undefined
      if (start.length < 4) return true
      // The parser would unpack it once more, past all limits.
      if (/^(?:1f8b|28b52ffd)/.test(start.toString('hex', 0, 4))) throw new Unreadable('a layer is compressed twice')
      this.#parser.write(start)
    } else this.#parser.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
    if (this.#failure) throw this.#failure
    if (this.#wrongHeaders > mostWrongHeaders) throw new Unreadable('a layer is no tar file')
    return !this.#ended
  }

  get ended() {
    return this.#ended
  }

  /** @returns {LayerFindings} */
  findings() {
    return { removed: [...this.#removed], databases: [...this.#databases.values()] }
  }

  /** Whether a file is wanted. @param {string} path @param {ReadEntry} entry */
  #see(path, entry) {
    this.#noteRemoval(path)
    const isFile = entry.type === 'File' || entry.type === 'OldFile' || entry.type === 'ContiguousFile'
    if (!isFile && entry.type !== 'Directory' && isWatched(path)) this.#removed.add(path)
    if (!isFile || !kindOf(path)) return false
    if (this.#databases.size >= mostFiles) throw new Unreadable(`a layer has more than ${mostFiles} files of packages`)
    const unread = kindOf(path) === 'rpm' ? 'rpm' : entry.size > largestDatabase ? 'size' : undefined
    if (unread) this.#databases.set(path, { path, packages: [], unread })
    return unread === undefined
  }

  /** What OCI layers call whiteouts (image-spec, layer.md). @param {string} path */
  #noteRemoval(path) {
    const slash = path.lastIndexOf('/') + 1
    const [folder, file] = [path.slice(0, slash), path.slice(slash)]
    if (!file.startsWith('.wh.')) return
    if (file === '.wh..wh..opq') {
      if (folder === '' || isWatched(folder.slice(0, -1))) this.#removed.add(folder)
    } else if (isWatched(folder + file.slice(4))) this.#removed.add(folder + file.slice(4))
  }

  /** @param {string} path @param {ReadEntry} entry */
  #collect(path, entry) {
    /** @type {Buffer[]} */
    const parts = []
    entry.on('data', (/** @type {Buffer} */ part) => {
      this.#bytes += part.length
      if (this.#bytes <= mostBytes) parts.push(Buffer.from(part))
    })
    entry.on('end', () => {
      if (this.#bytes > mostBytes) this.#failure ??= new Unreadable('the databases of packages are too large')
      else {
        const text = Buffer.concat(parts).toString()
        const packages = kindOf(path) === 'apk' ? readApk(text) : readDpkg(text)
        this.#databases.set(path, { path, packages })
        this.#packages += packages.length
        if (this.#packages > mostPackages) this.#failure ??= new Unreadable('there are too many packages')
      }
    })
  }

  /** @param {string} code @param {string} message */
  #warned(code, message) {
    if (code === 'TAR_ENTRY_INVALID') this.#wrongHeaders++
    else if (code === 'TAR_ABORT') this.#failure ??= new Unreadable(message)
  }
}

/** @param {string} path */
const plainPath = (path) => path.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '')

/** @param {string} path */
function kindOf(path) {
  if (Object.hasOwn(databases, path)) return databases[path]
  const file = path.startsWith(`${statusFolder}/`) ? path.slice(statusFolder.length + 1) : ''
  return file !== '' && !file.includes('/') && !file.startsWith('.wh.') && !file.endsWith('.md5sums')
    ? 'dpkg'
    : undefined
}

/** Whether it is a database, or a folder that leads to one. @param {string} path */
const isWatched = (path) => folders.has(path) || kindOf(path) !== undefined

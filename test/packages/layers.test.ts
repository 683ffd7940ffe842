import { randomBytes } from 'node:crypto'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { packagesIn } from '../../src/packages/image.ts'
import { readLayer } from '../../src/packages/layer.js'
import { makeBytes } from '../helpers/bytes.ts'
import { makeTar, type TarEntry } from '../helpers/tar.ts'

const most = 64 * 1024 * 1024
const dpkg = (...names: string[]) => names.map((name) => `Package: ${name}\nVersion: 1\n\n`).join('')
const apk = (...names: string[]) => names.map((name) => `P:${name}\nV:1\n\n`).join('')
const tar = (...entries: TarEntry[]) => makeBytes(makeTar(entries)).read()

async function* inChunks(bytes: Uint8Array, size = 1000) {
  for (let at = 0; at < bytes.length; at += size) yield new Uint8Array(bytes.subarray(at, at + size))
}
const read = (bytes: Uint8Array, size?: number) => readLayer(inChunks(bytes, size), 'none', most)
const namesIn = async (...layers: TarEntry[][]) => {
  const findings = await Promise.all(layers.map((entries) => read(tar(...entries))))
  return packagesIn(findings).packages.map(({ name }) => name)
}
const status = 'var/lib/dpkg/status'

describe('the packages of layers', () => {
  it('are those of the databases where package managers have them, packed or not, in chunks of any size', async () => {
    const layer = tar(
      { path: 'var/' },
      { path: 'etc/passwd', content: 'root' },
      { path: status, content: dpkg('libc6') },
      { path: 'var/lib/dpkg/status.d/tzdata', content: dpkg('tzdata') },
      { path: 'var/lib/dpkg/status.d/tzdata.md5sums', content: dpkg('none') },
      { path: './lib/apk/db/installed', content: apk('musl') },
      { path: 'usr/lib/apk/db/installed', content: apk('zlib') },
    )
    for (const size of [1, 511, 512, 70_000]) {
      const { packages } = packagesIn([await read(layer, size)])
      expect(packages.map(({ name }) => name)).toEqual(['libc6', 'tzdata', 'musl', 'zlib'])
    }
    const packed = await readLayer(inChunks(gzipSync(layer)), 'gzip', most)
    expect(packagesIn([packed]).packages).toHaveLength(4)
  })

  it('are those of the topmost layer that has the database', async () => {
    const below = [{ path: status, content: dpkg('a', 'b') }]
    expect(await namesIn(below, [{ path: status, content: dpkg('a') }])).toEqual(['a'])
    expect(await namesIn(below, [{ path: 'etc/x', content: '' }])).toEqual(['a', 'b'])
  })

  it('go with what removes the database: a whiteout of it, of a folder above, an opaque folder, something in its place', async () => {
    const below = [
      { path: status, content: dpkg('a') },
      { path: 'lib/apk/db/installed', content: apk('b') },
    ]
    for (const path of ['var/lib/dpkg/.wh.status', 'var/lib/.wh.dpkg', '.wh.var', 'var/lib/dpkg/.wh..wh..opq']) {
      expect([path, await namesIn(below, [{ path }])]).toEqual([path, ['b']])
    }
    expect(await namesIn(below, [{ path: '.wh..wh..opq' }])).toEqual([])
    expect(await namesIn(below, [{ path: 'var/lib/dpkg', link: '/tmp' }])).toEqual(['b'])
    // A whiteout is about the layers below alone, wherever in the file it stands.
    expect(await namesIn(below, [{ path: status, content: dpkg('new') }, { path: '.wh.var' }])).toEqual(['b', 'new'])
  })

  it('of rpm are noted, and that nobody read them', async () => {
    const { unread } = packagesIn([await read(tar({ path: 'var/lib/rpm/rpmdb.sqlite', content: 'SQLite format 3' }))])
    expect(unread).toEqual([{ path: 'var/lib/rpm/rpmdb.sqlite', packages: [], unread: 'rpm' }])
  })
})

describe('a layer that is made to harm', () => {
  it('leads nowhere by its paths and links', async () => {
    const paths = [
      '../var/lib/dpkg/status',
      'var/lib/dpkg/../dpkg/status',
      '/../../var/lib/dpkg/status',
      'VAR/lib/dpkg/status',
    ]
    for (const path of paths) {
      expect([path, await namesIn([{ path, content: dpkg('a') }])]).toEqual([path, []])
    }
    expect(await namesIn([{ path: status, link: '/etc/passwd' }])).toEqual([])
    expect(await namesIn([{ path: 'var/lib/dpkg/status.d/../status', content: dpkg('a') }])).toEqual([])
    expect(
      await namesIn([
        { path: '__proto__', content: 'x' },
        { path: 'constructor', content: dpkg('a') },
      ]),
    ).toEqual([])
  })

  it('is given up where it unpacks to more than is read: a bomb', async () => {
    const bomb = gzipSync(tar({ path: 'zeros', content: Buffer.alloc(100 * 1024 * 1024) }))
    await expect(readLayer(inChunks(bomb), 'gzip', most)).rejects.toThrow('unpacks to more than 64 MiB')
  })

  it('is given up where it has no end', async () => {
    const entry = makeBytes(makeTar([{ path: 'large', content: { size: 10, seed: 1 } }]))
      .read()
      .subarray(0, 512)
    async function* endless() {
      const large = Buffer.from(entry)
      // The size field says eight gigabytes, and the checksum fits.
      large.write('77777777777\u0000', 124)
      large.fill(' ', 148, 156)
      const sum = large.reduce((total, byte) => total + byte, 0)
      large.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148)
      yield new Uint8Array(large)
      for (;;) yield new Uint8Array(1024 * 1024)
    }
    await expect(readLayer(endless(), 'none', most)).rejects.toThrow('unpacks to more than')
  })

  it('has a database of any size, or as many as it likes, and costs no more memory than is set aside', async () => {
    const large = await read(tar({ path: status, content: { size: 20 * 1024 * 1024, seed: 1 } }), 1024 * 1024)
    expect(large.databases).toEqual([{ path: status, packages: [], unread: 'size' }])
    const many = Array.from({ length: 6_000 }, (_, i) => ({ path: `var/lib/dpkg/status.d/${i}`, content: 'x' }))
    await expect(read(tar(...many), 1024 * 1024)).rejects.toThrow('more than 5000 files')
    const sum = Array.from({ length: 3 }, (_, i) => ({
      path: `var/lib/dpkg/status.d/${i}`,
      content: { size: 12 * 1024 * 1024, seed: i },
    }))
    await expect(read(tar(...sum), 1024 * 1024)).rejects.toThrow('databases of packages are too large')
  })

  it('is not unpacked twice, nor read on behind its end', async () => {
    const inner = gzipSync(tar({ path: status, content: dpkg('a') }))
    await expect(readLayer(inChunks(gzipSync(inner)), 'gzip', most)).rejects.toThrow('compressed twice')
    await expect(read(inner, 1)).rejects.toThrow('compressed twice')
    async function* withoutEnd() {
      yield new Uint8Array(tar({ path: status, content: dpkg('a') }))
      for (;;) yield new Uint8Array(1024 * 1024)
    }
    expect(packagesIn([await readLayer(withoutEnd(), 'none', most)]).packages).toHaveLength(1)
  })

  it('is said to be none where it is no tar file, is cut off, or is packed wrongly', async () => {
    await expect(read(randomBytes(1024 * 1024))).rejects.toThrow('no tar file')
    await expect(readLayer(inChunks(deflateRawSync('x')), 'gzip', most)).rejects.toThrow()
    const cut = gzipSync(tar({ path: status, content: dpkg('a') })).subarray(0, 60)
    await expect(readLayer(inChunks(cut), 'gzip', most)).rejects.toThrow()
    expect(await read(new Uint8Array())).toEqual({ removed: [], databases: [] })
  })
})

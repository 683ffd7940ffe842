import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { comparePackages, Packages, type Package, type PackagesOptions } from '../../src/packages/packages.ts'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { makeBytes } from '../helpers/bytes.ts'
import { makeTar, type TarEntry } from '../helpers/tar.ts'

const oci = 'application/vnd.oci.image.layer.v1.tar'
const status = (...names: string[]) => ({
  path: 'var/lib/dpkg/status',
  content: names.map((name) => `Package: ${name}\nVersion: 1\nInstalled-Size: 2\n\n`).join(''),
})
const gzipped = (...entries: TarEntry[]) => gzipSync(makeBytes(makeTar(entries)).read())

/** A disk that counts how often each blob was opened and is still open. */
function start(limits: PackagesOptions['limits'] = {}) {
  const blobs = new Map<Digest, Uint8Array>()
  const opened: Digest[] = []
  /** Those that never come. */
  const slowOnes = new Set<Digest>()
  let open = 0
  const packages = new Packages({
    limits,
    open: async (digest) => {
      const bytes = blobs.get(digest)
      if (!bytes) return undefined
      opened.push(digest)
      open++
      return {
        size: bytes.length,
        async read(into, position) {
          if (slowOnes.has(digest)) await new Promise(() => {})
          const part = bytes.subarray(position, position + into.length)
          into.set(part)
          return part.length
        },
        close: () => void open--,
      }
    },
  })
  onTestFinished(() => packages.stop())
  const put = (bytes: Uint8Array, mediaType = `${oci}+gzip`) => {
    const digest = digestOf(bytes)
    blobs.set(digest, bytes)
    return { digest, size: bytes.length, mediaType }
  }
  return { packages, put, blobs, slowOnes, opened, stillOpen: () => open }
}

const names = ({ packages }: { packages: readonly Package[] }) => packages.map(({ name }) => name)

describe('the packages of an image', () => {
  it('are read from its layers on a thread, each layer once, whoever asks', async () => {
    const { packages, put, opened, stillOpen } = start()
    const base = put(gzipped(status('a', 'b')))
    const top = put(makeBytes(makeTar([{ path: 'lib/apk/db/installed', content: 'P:c\nV:1\n' }])).read(), oci)
    const both = await Promise.all([packages.ofLayers([base, top]), packages.ofLayers([base, top])])
    expect(both.map(names)).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ])
    expect(names(await packages.ofLayers([base]))).toEqual(['a', 'b'])
    expect(opened).toEqual([base.digest, top.digest])
    expect(stillOpen()).toBe(0)
  })

  it('are not known while a layer is not here, and are once it is', async () => {
    const { packages, put, blobs } = start()
    const layer = put(gzipped(status('a')))
    const bytes = blobs.get(layer.digest)!
    blobs.delete(layer.digest)
    await expect(packages.ofLayers([layer])).rejects.toThrow('not all of its layers are here')
    blobs.set(layer.digest, bytes)
    expect(names(await packages.ofLayers([layer]))).toEqual(['a'])
  })

  it('are not read of images that are too large, nor of layers that take too long, and others come after them', async () => {
    const { packages, put, slowOnes, opened } = start({ image: 1_000_000, patience: 3_000 })
    const layer = put(gzipped(status('a')))
    await expect(packages.ofLayers([{ ...layer, size: 2_000_000 }])).rejects.toThrow('more than 1 MiB')
    const slow = put(gzipped(status('slow')))
    slowOnes.add(slow.digest)
    await expect(packages.ofLayers([slow])).rejects.toThrow('longer than 3 s')
    await expect(packages.ofLayers([slow])).rejects.toThrow('longer than 3 s')
    expect(opened.filter((digest) => digest === slow.digest)).toHaveLength(1)
    expect(names(await packages.ofLayers([layer]))).toEqual(['a'])
  })

  it('are not read of a layer that is made to harm, which costs the next one nothing', async () => {
    const { packages, put } = start({ unpacked: 8 * 1024 * 1024 })
    const bomb = put(gzipped({ path: 'zeros', content: Buffer.alloc(32 * 1024 * 1024) }))
    const junk = put(Buffer.from('no gzip at all'))
    const good = put(gzipped(status('a')))
    const results = await Promise.allSettled([bomb, junk, good].map((layer) => packages.ofLayers([layer])))
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
    await expect(packages.ofLayers([bomb])).rejects.toThrow('unpacks to more than 8 MiB')
  })

  it('of zstd are read where Node.js can, which is said where it cannot', async () => {
    const zlib = (await import('node:zlib')) as { zstdCompressSync?: (bytes: Uint8Array) => Buffer }
    const { packages, put } = start()
    const plain = makeBytes(makeTar([status('a')])).read()
    const layer = put(zlib.zstdCompressSync?.(plain) ?? plain, `${oci}+zstd`)
    const found = packages.ofLayers([layer])
    if (zlib.zstdCompressSync) expect(names(await found)).toEqual(['a'])
    else await expect(found).rejects.toThrow('Node.js 22.15')
  })

  it('keep so many others waiting and no more', async () => {
    const { packages, put } = start({ waiting: 2 })
    const layers = ['a', 'b', 'c'].map((name) => put(gzipped(status(name))))
    const results = await Promise.allSettled(layers.map((layer) => packages.ofLayers([layer])))
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    expect(names(await packages.ofLayers([layers[2]!]))).toEqual(['c'])
  })
})

describe('a document', () => {
  it('is read once, and not at all where it is too large', async () => {
    const { packages } = start({ document: 1_000 })
    const bytes = Buffer.from(JSON.stringify({ spdxVersion: 'SPDX-2.3', packages: [{ name: 'a', versionInfo: '1' }] }))
    const descriptor = { digest: digestOf(bytes), size: bytes.length, mediaType: 'application/spdx+json' }
    let reads = 0
    const read = async () => (reads++, bytes)
    for (let i = 0; i < 2; i++) {
      expect(await packages.document(descriptor, read)).toMatchObject({ kind: 'SBOM', packages: [{ name: 'a' }] })
    }
    expect(reads).toBe(1)
    const large = { ...descriptor, size: 2_000, digest: digestOf(Buffer.from('large')) }
    await expect(packages.document(large, read)).rejects.toThrow('larger')
    expect(reads).toBe(1)
  })

  it('of more values than any list of packages has is not read, whatever it is wrapped in', async () => {
    const { packages } = start()
    const many = `[${'{},'.repeat(2_000_000)}{}]`
    const payload = Buffer.from(many).toString('base64')
    for (const text of [many, JSON.stringify({ dsseEnvelope: { payload } })]) {
      const bytes = Buffer.from(text)
      const descriptor = { digest: digestOf(bytes), size: bytes.length, mediaType: 'application/spdx+json' }
      await expect(packages.document(descriptor, async () => bytes)).rejects.toThrow('more values')
    }
  })
})

describe('a comparison of packages', () => {
  const of = (name: string, version: string, size?: number): Package => ({ kind: 'deb', name, version, size })

  it('tells what came, went and changed, by how much it grew, and nothing of the rest', () => {
    const from = [of('same', '1', 10), of('gone', '1', 10), of('newer', '1', 10), of('twice', '1'), of('twice', '2')]
    const to = [of('newer', '2', 15), of('same', '1', 10), of('added', '1', 7), of('twice', '2')]
    expect(comparePackages(from, to)).toEqual([
      { kind: 'deb', name: 'added', from: [], to: ['1'], growth: 7 },
      { kind: 'deb', name: 'gone', from: ['1'], to: [], growth: -10 },
      { kind: 'deb', name: 'newer', from: ['1'], to: ['2'], growth: 5 },
      { kind: 'deb', name: 'twice', from: ['1', '2'], to: ['2'], growth: undefined },
    ])
  })

  it('tells packages of one name apart by what manages them', () => {
    const from = [{ kind: 'npm', name: 'a', version: '1' }]
    const to = [{ kind: 'pypi', name: 'a', version: '1' }]
    expect(comparePackages(from, to).map(({ kind, to }) => [kind, to.length])).toEqual([
      ['npm', 0],
      ['pypi', 1],
    ])
  })
})

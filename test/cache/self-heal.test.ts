import { mkdirSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Digest } from '../../src/oci/digest.ts'
import { Layout } from '../../src/store/layout.ts'
import { startCached, type CachedOptions } from '../helpers/cached.ts'
import { makeFolder } from '../helpers/folder.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'

const size = 300_000
const content = {
  app: {
    blobs: { config: '{}', big: { size, seed: 11 } },
    manifests: { m: { config: 'config', layers: ['big'] } },
    tags: { 1: 'm' },
  },
}

/** A blob that is cached, and a later process on the same folder. */
async function startAgain(between: (layout: Layout, digest: Digest) => void, options: CachedOptions = {}) {
  const folder = makeFolder()
  const upstream = await startUpstream({ content })
  const big = upstream.content.digest('app', 'big')
  await pullOnce(upstream, folder)
  between(new Layout(folder), big as Digest)
  upstream.forget()
  return {
    upstream,
    folder,
    big,
    bytes: upstream.content.bytes('app', 'big'),
    cached: await startCached(upstream, { folder, ...options }),
  }
}

async function pullOnce(upstream: Upstream, folder: string): Promise<void> {
  const cached = await startCached(upstream, { folder })
  await cached.manifest('app', '1')
  await cached.read('app', upstream.content.digest('app', 'big'))
  await cached.settled()
  await cached.stop()
}

const removed = (layout: Layout, digest: Digest) => rmSync(layout.blob(digest))
const truncated = (layout: Layout, digest: Digest) => truncateSync(layout.blob(digest), size - 1)
const lengthened = (layout: Layout, digest: Digest) => truncateSync(layout.blob(digest), size + 1)

describe('a stored blob that a hand or a broken disk changed (case 23, distribution 3722, harbor 15654)', () => {
  it.each([
    ['removed', removed],
    ['cut short', truncated],
    ['made longer', lengthened],
  ])('%s before the start: fetched again once, and then served from the store', async (_, change) => {
    const { upstream, cached, big, bytes } = await startAgain(change)
    for (let i = 0; i < 3; i++) {
      expect(bytes.equals(await cached.read('app', big))).toBe(true)
      await cached.settled()
    }
    expect(upstream.requests).toHaveLength(1)
    await cached.expectNothingLeft()
  })

  it.each([
    ['removed', removed],
    ['cut short', truncated],
    ['made longer', lengthened],
  ])('%s while running: the same', async (_, change) => {
    const { upstream, folder, cached, big, bytes } = await startAgain(() => {})
    change(new Layout(folder), big as Digest)
    for (let i = 0; i < 3; i++) {
      expect(bytes.equals(await cached.read('app', big))).toBe(true)
      await cached.settled()
    }
    expect(upstream.requests).toHaveLength(1)
    await cached.expectNothingLeft()
  })

  it('is put aside for a human, and told', async () => {
    const { folder, cached, big } = await startAgain(() => {})
    truncateSync(new Layout(folder).blob(big as Digest), 5)
    await cached.read('app', big)
    expect(readdirSync(path.join(folder, 'quarantine'))).toHaveLength(1)
    expect(cached.count('wrong-content')).toBe(1)
  })
})

describe('folders removed under a running process', () => {
  it.each(['partial', 'quarantine', 'blobs'])('%s: is made again when it is needed', async (name) => {
    const { folder, cached, big, bytes } = await startAgain(() => {})
    if (name !== 'blobs') truncateSync(new Layout(folder).blob(big as Digest), 5)
    rmSync(path.join(folder, name), { recursive: true })
    expect(bytes.equals(await cached.read('app', big))).toBe(true)
    await cached.settled()
    expect((await cached.stored(big))?.equals(bytes)).toBe(true)
  })

  it('or something in their place: the pull passes by the disk', async () => {
    const { folder, cached, big, bytes } = await startAgain(() => {})
    truncateSync(new Layout(folder).blob(big as Digest), 5)
    rmSync(path.join(folder, 'quarantine'), { recursive: true })
    writeFileSync(path.join(folder, 'quarantine'), '')
    expect(bytes.equals(await cached.read('app', big))).toBe(true)
    expect(cached.count('storage-failure')).toBeGreaterThan(0)
  })
})

describe('a start', () => {
  it('takes in blobs that the database does not know, without asking the upstream for their bytes', async () => {
    const { upstream, cached, big, bytes } = await startAgain((layout) => {
      for (const end of ['', '-wal', '-shm']) rmSync(path.join(layout.root, `berth.db${end}`), { force: true })
    })
    expect(await cached.metadata.storedBytes()).toBe(size)
    expect(bytes.equals(await cached.read('app', big))).toBe(true)
    // The lost database also knew that this repository holds the blob: that is asked.
    expect(upstream.requests).toEqual([expect.stringMatching(/^HEAD .*blobs/)])
  })

  it('forgets rows of blobs that are gone, so that they do not count', async () => {
    const { cached } = await startAgain(removed)
    expect(await cached.metadata.storedBytes()).toBe(0)
  })

  it('removes partial files that are done, of no use or not ours, and keeps those that a fill can resume', async () => {
    const other = `sha256-${'a'.repeat(64)}`
    const { folder, cached } = await startAgain((layout, digest) => {
      const write = (name: string, text: string) => writeFileSync(path.join(layout.partials, name), text)
      write(digest.replace(':', '-'), 'done')
      write(`${digest.replace(':', '-')}.json`, '[]')
      write(`sha256-${'b'.repeat(64)}`, 'no record')
      write('something.tmp', 'not ours')
      write(other, 'resumable')
      write(`${other}.json`, '[{"start":0,"end":5}]')
    })
    expect(readdirSync(path.join(folder, 'partial')).sort()).toEqual([other, `${other}.json`])
    await cached.stop()
  })

  it('survives files and folders in its own that it never made', async () => {
    const { cached, big, bytes } = await startAgain((layout) => {
      mkdirSync(path.join(layout.blobs, 'sha256', 'zz'), { recursive: true })
      writeFileSync(path.join(layout.blobs, 'sha256', 'zz', 'README'), 'hello')
      writeFileSync(path.join(layout.blobs, '.DS_Store'), '')
      writeFileSync(path.join(layout.blobs, 'sha256', 'file'), '')
      mkdirSync(path.join(layout.partials, 'lost+found'))
    })
    expect(bytes.equals(await cached.read('app', big))).toBe(true)
  })
})

describe('a fill that was broken off', () => {
  const mebibyte = 1024 * 1024
  const large = { app: { blobs: { big: { size: 8 * mebibyte, seed: 12 } } } }

  /** A cache that was stopped when an upstream that stalls had sent 3 MiB of 8; the upstream works again. */
  async function startStopped() {
    const folder = makeFolder()
    const upstream = await startUpstream({ content: large })
    const release = upstream.hold(/blobs/, 3 * mebibyte)
    const cached = await startCached(upstream, { folder })
    const big = upstream.content.digest('app', 'big')
    const blob = await cached.open('app', big)
    for (let got = 0; got < 2 * mebibyte;) got += await blob.read(Buffer.alloc(mebibyte))
    await cached.stop()
    await expect(blob.read(Buffer.alloc(10)).then(() => readToEnd(blob))).rejects.toThrow(/stopped/)
    blob.close()
    release()
    return { folder, upstream, big, bytes: upstream.content.bytes('app', 'big') }
  }

  it('by a stop keeps what came, and the next process goes on from there', async () => {
    const { folder, upstream, big, bytes } = await startStopped()
    upstream.forget()
    const again = await startCached(upstream, { folder })
    expect(bytes.equals(await again.read('app', big))).toBe(true)
    await again.expectNothingLeft()
    // Another request asks whether the repository may read what lies here already.
    const range = upstream.received.find(({ headers }) => headers.range)?.headers.range
    expect(Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1])).toBeGreaterThanOrEqual(2 * mebibyte)
  })

  it('whose partial file went bad meanwhile is thrown away by the digest, and fetched anew', async () => {
    const { folder, upstream, big, bytes } = await startStopped()
    const file = new Layout(folder).partial(big as Digest)
    const partial = readFileSync(file)
    partial[1000]! ^= 1
    writeFileSync(file, partial)
    const again = await startCached(upstream, { folder })
    await again.read('app', big).catch(() => {})
    expect(bytes.equals(await again.read('app', big))).toBe(true)
    expect(again.count('wrong-content')).toBe(1)
    await again.expectNothingLeft()
  })
})

async function readToEnd(blob: { read(into: Buffer): Promise<number> }): Promise<void> {
  while ((await blob.read(Buffer.alloc(1024 * 1024))) > 0);
}

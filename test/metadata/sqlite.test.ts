import { copyFileSync, statSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DurableWrites } from '../../src/metadata/durable-writes.ts'
import { LockWait } from '../../src/metadata/lock-wait.ts'
import { sqliteMetadata } from '../../src/metadata/sqlite.ts'
import { WalSync } from '../../src/metadata/wal-sync.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { parseRepositoryName, parseTag } from '../../src/oci/reference.ts'
import { startCached } from '../helpers/cached.ts'
import { makeClock } from '../helpers/clock.ts'
import { makeFolder } from '../helpers/folder.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { testAccessMetadata } from '../suites/access-metadata.ts'
import { testBrowsing, testDescriptions, testFigures } from '../suites/browsing.ts'
import { testHostedMetadata } from '../suites/hosted-metadata.ts'
import { testTagHistory } from '../suites/tag-history.ts'
import { testMetadata } from '../suites/metadata.ts'
import { testWarmMetadata } from '../suites/warm-metadata.ts'
import { testWebhookMetadata } from '../suites/webhook-metadata.ts'

const makeFile = () => path.join(makeFolder(), 'berth.db')

const makeSqlite = async () => {
  const file = makeFile()
  return { open: () => sqliteMetadata(file) }
}

testMetadata('SQLite', makeSqlite)
testAccessMetadata('SQLite', makeSqlite)
testBrowsing('SQLite', makeSqlite)
testDescriptions('SQLite', makeSqlite)

testFigures('SQLite', makeSqlite)
testHostedMetadata('SQLite', makeSqlite)
testWarmMetadata('SQLite', makeSqlite)
testTagHistory('SQLite', makeSqlite)
testWebhookMetadata('SQLite', makeSqlite)

const digest = digestOf(Buffer.from('x'))
const node = { registry: 'docker.io', name: parseRepositoryName('library/node') }

describe('the database file', () => {
  it('is made with its folder', async () => {
    const file = path.join(makeFolder(), 'not', 'yet', 'berth.db')
    await sqliteMetadata(file).close()
    expect(statSync(file).isFile()).toBe(true)
  })

  it('is migrated once: opening it again changes nothing', async () => {
    const file = makeFile()
    await sqliteMetadata(file).close()
    const schema = () => {
      const database = new Database(file, { readonly: true })
      const rows = database.prepare('SELECT sql FROM sqlite_schema ORDER BY name').all()
      const version = database.pragma('user_version', { simple: true })
      database.close()
      return { rows, version }
    }
    const first = schema()
    await sqliteMetadata(file).close()
    expect(schema()).toEqual(first)
    expect(first.version).toBeGreaterThan(0)
  })

  it('of a newer version is refused, with what to do, and left as it is', async () => {
    const file = makeFile()
    const database = new Database(file)
    database.pragma('user_version = 999')
    database.close()
    expect(() => sqliteMetadata(file)).toThrow(/version 999.*start the newer Berth/)
  })

  it('that is none is refused', () => {
    const folder = makeFolder({ 'berth.db': 'this is not a database, and long enough to be sure of it'.repeat(20) })
    expect(() => sqliteMetadata(path.join(folder, 'berth.db'))).toThrow(/not a database/)
  })

  it('holds what was written when the process dies the moment after', async () => {
    const file = makeFile()
    const metadata = sqliteMetadata(file)
    await metadata.putTag(node, parseTag('20'), { digest, checkedAt: 1 })
    // What a killed process leaves: the file and its log, never closed.
    const left = path.join(makeFolder(), 'berth.db')
    for (const end of ['', '-wal']) copyFileSync(file + end, left + end)
    const after = sqliteMetadata(left)
    expect(await after.findTag(node, parseTag('20'))).toEqual({ digest, checkedAt: 1 })
    await after.close()
    await metadata.close()
  })

  it('keeps its log short under heavy writing (case 65, better-sqlite3 836)', async () => {
    const file = makeFile()
    const metadata = sqliteMetadata(file)
    const bytes = new Uint8Array(100_000)
    for (let i = 0; i < 300; i++) {
      const manifest = { digest: digestOf(Buffer.from(String(i))), mediaType: 'x', bytes }
      await metadata.putManifest(node, manifest, [])
    }
    expect(statSync(`${file}-wal`).size).toBeLessThan(16 * 1024 * 1024)
    await metadata.close()
  })
})

describe('what a namespace of 200,000 blobs holds', () => {
  it('is told in no time: quotas ask before every upload, and the event loop waits', { timeout: 60_000 }, async () => {
    const file = makeFile()
    await sqliteMetadata(file).close()
    const database = new Database(file)
    database.exec(`
      INSERT INTO hosted_repositories (id, namespace, name) VALUES (1, 'team', 'team/app');
      WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 200000)
      INSERT INTO hosted_blobs SELECT 1, 'sha256:' || hex(randomblob(32)), 10, 1 FROM n`)
    database.close()
    const metadata = sqliteMetadata(file)
    const began = performance.now()
    for (let i = 0; i < 100; i++) {
      expect(await metadata.hosted.usage('team')).toEqual({ bytes: 2_000_000, tags: 0 })
    }
    expect((performance.now() - began) / 100).toBeLessThan(1)
    await metadata.close()
  })
})

describe('a second process that holds the write lock (case 65)', () => {
  /** Takes the write lock as another process would; the test's end gives it back. */
  function lock(file: string): () => void {
    const other = new Database(file)
    other.exec('BEGIN IMMEDIATE')
    const release = () => other.open && other.exec('COMMIT') && other.close()
    onTestFinished(() => void release())
    return () => void release()
  }

  it('holds up no reading', async () => {
    const file = makeFile()
    const metadata = sqliteMetadata(file)
    await metadata.putTag(node, parseTag('20'), { digest, checkedAt: 1 })
    lock(file)
    expect(await metadata.findTag(node, parseTag('20'))).toEqual({ digest, checkedAt: 1 })
    await metadata.close()
  })

  it('makes writing fail after a short wait, for the wait holds up everybody', async () => {
    const file = makeFile()
    const metadata = sqliteMetadata(file)
    lock(file)
    const began = performance.now()
    await expect(metadata.putTag(node, parseTag('20'), { digest, checkedAt: 1 })).rejects.toThrow(/locked/)
    for (let i = 0; i < 100; i++) await metadata.putBlobSize(node, digest, i).catch(() => {})
    expect(performance.now() - began).toBeLessThan(1_500)
    await metadata.close()
  })

  it('makes a push wait without holding up anybody, and fail when it takes too long', async () => {
    const file = makeFile()
    const database = new Database(file, { timeout: 0 })
    onTestFinished(() => void database.close())
    database.pragma('journal_mode = WAL')
    database.exec('CREATE TABLE pushed (name TEXT PRIMARY KEY) STRICT')
    const options = { database, lock: new LockWait(database, 0), sync: new WalSync(file) }
    const push = (writes: DurableWrites, name: string) =>
      writes.run(() => database.prepare('INSERT INTO pushed VALUES (?)').run(name).changes)
    const release = lock(file)
    await expect(push(new DurableWrites({ ...options, patience: 50 }), 'a')).rejects.toMatchObject({ status: 503 })
    const patient = new DurableWrites(options)
    const pushed = [push(patient, 'b'), push(patient, 'c'), push(patient, 'b'), push(patient, 'd')]
    await new Promise((resolve) => setImmediate(resolve))
    release()
    const results = await Promise.allSettled(pushed)
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(database.prepare('SELECT name FROM pushed ORDER BY name').pluck().all()).toEqual(['b', 'c', 'd'])
    await options.sync.close()
  })

  it('fails no pull, warm or cold, and what could not be written is fetched again another time', async () => {
    const content = {
      app: { blobs: { a: 'layer' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 1: 'm' } },
    }
    const clock = makeClock()
    const upstream = await startUpstream({ content })
    const cached = await startCached(upstream, { now: () => clock.now() })
    const release = lock(path.join(cached.folder, 'berth.db'))
    const pull = async () => {
      const { digest } = await cached.manifest('app', '1')
      expect(digest).toBe(upstream.content.digest('app', 'm'))
      expect((await cached.read('app', upstream.content.digest('app', 'a'))).toString()).toBe('layer')
      await cached.settled()
    }
    await pull()
    clock.advance(3_600_000)
    await pull()
    expect(cached.count('storage-failure')).toBeGreaterThan(0)
    release()
    clock.advance(3_600_000)
    await pull()
    await cached.expectNothingLeft()
  })

  it('does not keep uses from being written later', async () => {
    const file = makeFile()
    const metadata = sqliteMetadata(file)
    await metadata.blobStored(digest, 1, 100)
    const release = lock(file)
    metadata.used(digest, 500)
    await metadata.listStoredBlobs(1)
    release()
    expect(await metadata.listStoredBlobs(1)).toEqual([{ digest, size: 1, usedAt: 500 }])
    await metadata.close()
  })
})

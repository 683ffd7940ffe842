import { existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { fsStore } from '../../src/store/fs-store.ts'
import type { BlobStore } from '../../src/store/store.ts'
import { Layout } from '../../src/store/layout.ts'
import { makeFolder } from '../helpers/folder.ts'
import { eventually, openFilesIn } from '../helpers/open-files.ts'
import { testBlobStore } from '../suites/blob-store.ts'

testBlobStore('a folder', async () => {
  const folder = makeFolder()
  return { open: () => fsStore(folder) }
})

const bytes = Buffer.from('some content')
const digest = digestOf(bytes)

async function openStore() {
  const folder = makeFolder()
  const store = await fsStore(folder)
  return { folder, store, layout: new Layout(folder) }
}

async function keepBlob(store: BlobStore, content = bytes) {
  const partial = await store.openPartial(digestOf(content))
  await partial.write(content, 0)
  await partial.verify(content.length)
  await partial.commit()
  await partial.close()
}

describe('a store in a folder', () => {
  it('names a blob by its digest, in a folder of its first two digits', async () => {
    const { folder, store } = await openStore()
    await keepBlob(store)
    const hex = digest.slice(7)
    expect(existsSync(path.join(folder, 'blobs', 'sha256', hex.slice(0, 2), hex))).toBe(true)
    await store.close()
  })

  it('keeps what proved wrong in a folder of its own, for a human', async () => {
    const { folder, store } = await openStore()
    await keepBlob(store)
    await store.quarantine(digest)
    expect(readdirSync(path.join(folder, 'quarantine'))).toEqual([digest.replace(':', '-')])
    await store.close()
  })

  it('finds a blob that was changed by hand', async () => {
    const { store, layout } = await openStore()
    await keepBlob(store)
    writeFileSync(layout.blob(digest), 'other content')
    expect(await store.check(digest, 1e9)).toBe(false)
    await store.close()
  })

  it('checks a blob no faster than it is told to: pulls want the disk', async () => {
    const { store } = await openStore()
    const content = Buffer.alloc(400_000, 'slowly')
    await keepBlob(store, content)
    const started = performance.now()
    expect(await store.check(digestOf(content), 1_000_000)).toBe(true)
    // A tenth of a second's bytes at a time, and no wait after the last.
    expect(performance.now() - started).toBeGreaterThan(250)
    await store.close()
  })

  it('ignores and removes in partial/ what is not its own, or of no use', async () => {
    const { folder, store, layout } = await openStore()
    for (const name of ['x.tmp', `${digest.replace(':', '-')}.json.new`])
      writeFileSync(path.join(folder, 'partial', name), '')
    writeFileSync(layout.intervals(digest), '[{"start":0,"end":5}]')
    for await (const _ of store.partials()) expect.unreachable('a record without bytes is no partial blob')
    expect(readdirSync(path.join(folder, 'partial'))).toEqual([])
    await store.close()
  })

  it.each(['', '[{"start":0,', '{}', 'null', '[null]', '[{"start":-1,"end":3}]', '[{"start":0.5,"end":3}]'])(
    'starts from nothing when a crash left the record %j',
    async (record) => {
      const { store, layout } = await openStore()
      writeFileSync(layout.partial(digest), bytes)
      writeFileSync(layout.intervals(digest), record)
      const partial = await store.openPartial(digest)
      expect(partial.present.total).toBe(0)
      await partial.close()
      await store.close()
    },
  )

  it('believes no record of bytes beyond the end of the file', async () => {
    const { store, layout } = await openStore()
    writeFileSync(layout.partial(digest), bytes)
    writeFileSync(
      layout.intervals(digest),
      JSON.stringify([
        { start: 0, end: 3 },
        { start: 5, end: 5000 },
      ]),
    )
    const partial = await store.openPartial(digest)
    expect(partial.present.toJSON()).toEqual([{ start: 0, end: 3 }])
    await partial.close()
    await store.close()
  })

  it('finds a partial file wrong that lost its bytes in a power loss', async () => {
    const { store, layout } = await openStore()
    const partial = await store.openPartial(digest)
    await partial.write(bytes, 0)
    truncateSync(layout.partial(digest), 3)
    expect(await partial.verify(bytes.length)).toBe(false)
    await partial.close()
    await store.close()
  })

  it('fails, and does not wait for ever, when a file cannot be hashed', async () => {
    const { store, layout } = await openStore()
    const partial = await store.openPartial(digest)
    await partial.write(bytes, 0)
    rmSync(layout.partial(digest))
    partial.advance()
    // By the time another one is hashed, this one has failed.
    await keepBlob(store, Buffer.from('another'))
    await expect(partial.verify(bytes.length)).rejects.toThrow(/hashing failed/)
    await partial.close()
    await store.close()
  })

  it('leaves no file open: blobs read and closed, partial blobs kept, discarded and verified', async () => {
    const { folder, store } = await openStore()
    await keepBlob(store)
    const blob = (await store.open(digest))!
    const reading = blob.read(Buffer.alloc(5), 0)
    blob.close()
    await reading
    const partial = await store.openPartial(digestOf(Buffer.from('other')))
    await partial.write(bytes, 0)
    partial.advance()
    await partial.record()
    await partial.close()
    await eventually(
      () => openFilesIn(folder).length === 0,
      () => openFilesIn(folder).join(),
    )
    await store.close()
  })

  it('says so when its folder cannot be made', async () => {
    const folder = makeFolder({ data: 'a file' })
    await expect(fsStore(path.join(folder, 'data'))).rejects.toThrow(/ENOTDIR|EEXIST/)
  })
})

import { randomUUID } from 'node:crypto'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { UploadBody, UploadState } from '../oci/registry.ts'
import type { HostedMetadata } from '../metadata/metadata.ts'
import { OverLimit, type BlobStore, type UploadFile } from '../store/store.ts'
import { namespaceOf } from './names.ts'
import type { Quotas } from './quotas.ts'

/** A session that nothing was sent to for this long is given up, in milliseconds. */
const expiry = 24 * 3_600_000
/** How long a session's file and its running hash are kept at hand between two requests, in milliseconds. */
const keptOpen = 60_000

export interface UploadsOptions {
  store: BlobStore
  metadata: HostedMetadata
  quotas: Quotas
  now: () => number
}

/** A session that is in use, or was a moment ago. */
interface Session {
  file: UploadFile | undefined
  /** Ends when all requests so far have. Never rejects. */
  last: Promise<unknown>
  waiting: number
  running: UploadBody | undefined
  idle: NodeJS.Timeout | undefined
}

/** Upload sessions. The bytes lie in a file whose length is the offset, so that a session outlives its connection and us. */
export class Uploads {
  readonly #options: UploadsOptions
  readonly #sessions = new Map<string, Session>()

  constructor(options: UploadsOptions) {
    this.#options = options
  }

  async open(name: RepositoryName, size?: number): Promise<UploadState> {
    const { store, metadata, quotas, now } = this.#options
    const admission = await quotas.admit(namespaceOf(name), size)
    admission.release()
    const session = randomUUID()
    // The row first: a file that has none is nobody's.
    await metadata.putUpload(session, name, now())
    try {
      await withDiskErrors(store.createUpload(session))
    } catch (error) {
      await metadata.deleteUpload(session)
      throw error
    }
    return { session, size: 0 }
  }

  async state(name: RepositoryName, session: string): Promise<UploadState> {
    await this.#expect(name, session)
    const size = this.#sessions.get(session)?.file?.size ?? (await this.#options.store.uploadSize(session))
    if (size === undefined) throw unknown(session)
    return { session, size }
  }

  append(name: RepositoryName, session: string, body: UploadBody): Promise<UploadState> {
    return this.#take(name, session, body, async (file) => {
      await this.#receive(name, file, body)
      return { session, size: file.size }
    })
  }

  finish(name: RepositoryName, session: string, digest: Digest, body?: UploadBody): Promise<void> {
    const { store, metadata, quotas, now } = this.#options
    return this.#take(name, session, body, async (file, entry) => {
      if (body) await this.#receive(name, file, body)
      const { size } = file
      const admission = await quotas.admit(namespaceOf(name), size)
      try {
        if (!(await file.matches(digest))) {
          await this.#drop(session, entry)
          throw new RegistryError(
            'DIGEST_INVALID',
            `the ${size} bytes that came must have the digest ${digest}, and do not`,
          )
        }
        entry.file = undefined
        // The file and the row that says who holds it: a collector sees both or neither.
        await store.exclusively(digest, async () => {
          await withDiskErrors(file.commit(digest))
          await metadata.putBlob(name, digest, size, now())
        })
        await metadata.deleteUpload(session)
      } finally {
        admission.release()
      }
    })
  }

  cancel(name: RepositoryName, session: string): Promise<void> {
    return this.#take(name, session, undefined, (_, entry) => this.#drop(session, entry))
  }

  /** Removes sessions that were given up, and files that belong to none. Returns how many. */
  async sweep(): Promise<number> {
    const { store, metadata, now } = this.#options
    let removed = 0
    for await (const { id, changedAt } of store.uploads()) {
      if (this.#sessions.has(id)) continue
      const found = await metadata.findUpload(id)
      if (found && now() - Math.max(changedAt, found.createdAt) < expiry) continue
      await store.removeUpload(id)
      await metadata.deleteUpload(id)
      removed++
    }
    return removed
  }

  async close(): Promise<void> {
    for (const entry of this.#sessions.values()) {
      clearTimeout(entry.idle)
      entry.running?.cancel()
      await entry.last
      await entry.file?.close()
      entry.file = undefined
    }
  }

  async #receive(name: RepositoryName, file: UploadFile, body: UploadBody): Promise<void> {
    if (body.start !== undefined && body.start !== file.size) {
      throw new RegistryError('RANGE_INVALID', `the next part must begin at ${file.size}, saw ${body.start}`)
    }
    const namespace = namespaceOf(name)
    const admission = await this.#options.quotas.admit(namespace, body.size)
    try {
      await withDiskErrors(file.append(body.chunks, file.size + admission.room))
    } catch (cause) {
      if (!(cause instanceof OverLimit)) throw cause
      throw new RegistryError(
        'DENIED',
        `the quota of namespace ${namespace} has no room for the rest (hosted.quotas)`,
        {
          cause,
        },
      )
    } finally {
      admission.release()
    }
  }

  /**
   * Does one request's work on a session when those before it have ended. A transfer that still runs is broken off: the client
   * would not begin another one unless its connection had died, which we may not have heard of.
   */
  async #take<T>(
    name: RepositoryName,
    session: string,
    body: UploadBody | undefined,
    work: (file: UploadFile, entry: Session) => Promise<T>,
  ): Promise<T> {
    await this.#expect(name, session)
    const entry = this.#entry(session)
    entry.running?.cancel()
    const turn = entry.last.then(async () => {
      entry.running = body
      entry.file ??= await this.#options.store.openUpload(session)
      if (!entry.file) throw unknown(session)
      return work(entry.file, entry)
    })
    entry.waiting++
    entry.last = turn.catch(() => {}).then(() => this.#rest(session, entry))
    return turn
  }

  #entry(session: string): Session {
    const known = this.#sessions.get(session)
    clearTimeout(known?.idle)
    if (known) return known
    const made: Session = { file: undefined, last: Promise.resolve(), waiting: 0, running: undefined, idle: undefined }
    this.#sessions.set(session, made)
    return made
  }

  /** After a request: the file stays open for the next one, but not for ever. */
  #rest(session: string, entry: Session): void {
    entry.running = undefined
    if (--entry.waiting > 0) return
    const letGo = () => {
      this.#sessions.delete(session)
      void entry.file?.close().catch(() => {})
    }
    if (entry.file) entry.idle = setTimeout(letGo, keptOpen).unref()
    else letGo()
  }

  async #drop(session: string, entry: Session): Promise<void> {
    await entry.file?.discard()
    entry.file = undefined
    await this.#options.metadata.deleteUpload(session)
  }

  async #expect(name: RepositoryName, session: string): Promise<void> {
    if ((await this.#options.metadata.findUpload(session))?.name !== name) throw unknown(session)
  }
}

function unknown(session: string): RegistryError {
  return new RegistryError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload here: it ended, was cancelled or expired', {
    detail: { session: session.slice(0, 64) },
  })
}

/** What a full disk says, for clients: 507, and not a fault of the request. */
async function withDiskErrors<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw cause
    throw new RegistryError('UNAVAILABLE', 'the registry has no room left on its disk', { status: 507, cause })
  }
}

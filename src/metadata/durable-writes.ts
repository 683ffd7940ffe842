import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from 'better-sqlite3'
import { RegistryError } from '../oci/errors.ts'
import { isLocked, type LockWait } from './lock-wait.ts'
import type { WalSync } from './wal-sync.ts'

/** Between two tries to get the lock, in milliseconds. */
const pause = 20
/** How long a write may wait for another process's lock, in milliseconds: `berth collect` may have much to do. */
const longestWait = 10_000

export interface DurableWritesOptions {
  database: Database
  lock: LockWait
  sync: WalSync
  patience?: number
}

interface Write {
  work: () => unknown
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
}

type Outcome = { value: unknown } | { error: unknown }

/**
 * Writes of what was pushed. Those that come while the disk is busy are committed together, by one transaction and one sync;
 * each stands or falls by itself all the same. The lock of another process is waited for without stopping the event loop.
 */
export class DurableWrites {
  readonly #lock: LockWait
  readonly #sync: WalSync
  readonly #patience: number
  readonly #runAll: (writes: readonly Write[]) => Outcome[]
  #waiting: Write[] = []
  #running: Promise<void> | undefined

  constructor({ database, lock, sync, patience = longestWait }: DurableWritesOptions) {
    this.#lock = lock
    this.#sync = sync
    this.#patience = patience
    const one = database.transaction((work: () => unknown) => work())
    const outcome = ({ work }: Write): Outcome => {
      try {
        return { value: one(work) }
      } catch (error) {
        // A full disk, for instance, undoes the whole transaction.
        if (!database.inTransaction) throw error
        return { error }
      }
    }
    const all = database.transaction((writes: readonly Write[]) => writes.map(outcome))
    this.#runAll = (writes) => all.immediate(writes)
  }

  /**
   * Runs `work` in a transaction, whose effect is on the disk when the promise resolves. Rejects with what `work` throws, which
   * undoes it, or with UNAVAILABLE when another process keeps the lock.
   */
  run<T>(work: () => T): Promise<T> {
    const done = new Promise<unknown>((resolve, reject) => this.#waiting.push({ work, resolve, reject }))
    this.#running ??= this.#runWaiting()
    return done as Promise<T>
  }

  /** Runs writing statements that a power loss may undo. `work` is called anew until it finds no other process's lock. */
  async unsynced<T>(work: () => T): Promise<T> {
    const deadline = performance.now() + this.#patience
    for (;;) {
      try {
        return this.attempt(work)
      } catch (error) {
        if (!isLocked(error)) throw error
        if (performance.now() > deadline) throw locked(error)
        await sleep(pause)
      }
    }
  }

  /** The same once, at once: throws when another process has the lock. */
  attempt<T>(work: () => T): T {
    this.#lock.set(0)
    return work()
  }

  /** Resolves when all writes so far have ended. */
  async settled(): Promise<void> {
    await this.#running
  }

  async #runWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const writes = this.#waiting
      this.#waiting = []
      try {
        const outcomes = await this.unsynced(() => this.#runAll(writes))
        await this.#sync.settled()
        writes.forEach(({ resolve, reject }, i) => {
          const outcome = outcomes[i]!
          if ('error' in outcome) reject(outcome.error)
          else resolve(outcome.value)
        })
      } catch (error) {
        for (const { reject } of writes) reject(error)
      }
    }
    // In the same turn as the last look, so that nobody waits for a run that has ended.
    this.#running = undefined
  }
}

function locked(cause: unknown): RegistryError {
  const message = 'another process holds the database of this registry: try again in a moment'
  return new RegistryError('UNAVAILABLE', message, { status: 503, headers: { 'Retry-After': '5' }, cause })
}

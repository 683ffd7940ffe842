import { isLocked, type LockWait } from './lock-wait.ts'

/** After a wait in vain, none waits for so long, in milliseconds: a lock that is kept costs one wait a while, not one a write. */
const pause = 1_000

/** Writes of what can be fetched again: at once, with a brief wait for the lock of another process, and without a sync. */
export class BriefWrites {
  readonly #lock: LockWait
  readonly #wait: number
  #impatientUntil = 0

  /** `wait` in milliseconds; short, for it blocks the event loop. */
  constructor(lock: LockWait, wait: number) {
    this.#lock = lock
    this.#wait = wait
  }

  /** Runs a writing statement or transaction. Throws SQLITE_BUSY when another process holds the lock for longer than a moment. */
  run(work: () => unknown): void {
    this.#lock.set(Date.now() > this.#impatientUntil ? this.#wait : 0)
    try {
      work()
    } catch (error) {
      if (this.#lock.milliseconds > 0 && isLocked(error)) this.#impatientUntil = Date.now() + pause
      throw error
    }
  }
}

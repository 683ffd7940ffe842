import type { Database } from 'better-sqlite3'

/** How long a statement waits for the lock of another process. The wait blocks the event loop. */
export class LockWait {
  readonly #database: Database
  #milliseconds: number

  /** For a connection that was opened with this wait. */
  constructor(database: Database, milliseconds: number) {
    this.#database = database
    this.#milliseconds = milliseconds
  }

  get milliseconds(): number {
    return this.#milliseconds
  }

  set(milliseconds: number): void {
    if (this.#milliseconds === milliseconds) return
    this.#database.pragma(`busy_timeout = ${milliseconds}`)
    this.#milliseconds = milliseconds
  }
}

/** Whether a write failed because another process has the lock. */
export function isLocked(error: unknown): boolean {
  return (error as { code?: string }).code?.startsWith('SQLITE_BUSY') === true
}

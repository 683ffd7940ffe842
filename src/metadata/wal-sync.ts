import { closeSync, fdatasync, fsyncSync, openSync } from 'node:fs'
import path from 'node:path'

/**
 * Makes commits survive a power loss without stopping the event loop for the disk, as `synchronous = FULL` would: commits
 * of a connection at NORMAL lie in the WAL file, unsynced, in order; this syncs that file on another thread, once for all
 * who committed before. SQLite itself syncs the WAL before it moves any of it into the database.
 * https://www.sqlite.org/pragma.html#pragma_synchronous
 */
export class WalSync {
  readonly #fd: number
  #next: Promise<void> | undefined
  #running: Promise<void> = Promise.resolve()

  /** For a database in WAL mode that has been written to, so that the file is there. */
  constructor(databaseFile: string) {
    this.#fd = openSync(`${databaseFile}-wal`, 'r')
    syncFolder(path.dirname(databaseFile))
  }

  /** Resolves when everything that was committed before this call is on the disk. */
  settled(): Promise<void> {
    // A sync that runs already may have begun before the last commit; the one after it has not.
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      const sync = this.#sync()
      this.#running = sync.catch(() => {})
      return sync
    })
    return this.#next
  }

  async close(): Promise<void> {
    await this.#next?.catch(() => {})
    await this.#running
    closeSync(this.#fd)
  }

  #sync(): Promise<void> {
    return new Promise((resolve, reject) => fdatasync(this.#fd, (error) => (error ? reject(error) : resolve())))
  }
}

/** The names of the database and of its WAL must be on the disk, too. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  fsyncSync(fd)
  closeSync(fd)
}

import { read, write } from 'node:fs'
import type { Arrival } from '../oci/registry.ts'

/**
 * Reads and writes of one open file by callbacks: half the cost of a FileHandle's. It is closed when the last of them has
 * ended: a descriptor's number could by then belong to another file.
 */
export class OpenFile {
  readonly #fd: number
  readonly #release: () => void
  #busy = 0
  #closed = false

  /** `release` closes the descriptor; called once. */
  constructor(fd: number, release: () => void) {
    this.#fd = fd
    this.#release = release
  }

  /** Reads at `position` into the front of `into`; returns how many bytes, 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number> {
    return this.#do((done) => read(this.#fd, into, 0, into.length, position, done))
  }

  /** Writes at `position`; returns how many bytes, which may be fewer than given. */
  write(bytes: Uint8Array, position: number): Promise<number> {
    return this.#do((done) => write(this.#fd, bytes, 0, bytes.length, position, done))
  }

  /** Has all of `arrival` written at `position` by the thread it lies on. */
  async receive(arrival: Arrival, position: number): Promise<void> {
    await this.#do((done) => {
      arrival.write(this.#fd, position).then(
        () => done(null, arrival.length),
        (error: Error) => done(error, 0),
      )
    })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#busy === 0) this.#release()
  }

  #do(work: (done: (error: Error | null, bytes: number) => void) => void): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error('the file is closed'))
      this.#busy++
      work((error, bytes) => {
        if (--this.#busy === 0 && this.#closed) this.#release()
        if (error) reject(error)
        else resolve(bytes)
      })
    })
  }
}

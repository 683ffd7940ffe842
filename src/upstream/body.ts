import type { ReceivedBody } from './exchange.ts'
import { Incoming, type Sending } from './incoming.js'

/** A body is read ahead of whoever reads it by this much, in bytes. */
const readAhead = 64 * 1024

/** The body of an answer that comes in on this thread. */
export class Body extends Incoming implements ReceivedBody {
  #wake: (() => void) | undefined

  constructor(sending: Sending, length: number) {
    super({ sending, length, readAhead, changed: () => this.#wake?.() })
  }

  async read(into: Uint8Array): Promise<number> {
    while (this.waiting === 0) {
      if (this.error) throw this.error
      if (this.isComplete) {
        this.giveBack()
        return 0
      }
      await new Promise<void>((wake) => (this.#wake = wake))
    }
    const got = Math.min(this.waiting, into.length)
    into.set(this.peek(0, got))
    this.consume(got)
    return got
  }
}

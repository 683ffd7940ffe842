/**
 * Large buffers that are used again. They lie outside V8's heap, and those that live for longer than a moment are freed
 * only when all of the heap is marked: gigabytes that pass through would make V8 do that dozens of times a second.
 */
export class Buffers {
  /** Bytes of each. */
  readonly size: number
  readonly #mostSpare: number
  readonly #spare: Buffer<ArrayBuffer>[] = []

  /** Keeps at most `mostSpare` that nobody uses. */
  constructor(size: number, mostSpare: number) {
    this.size = size
    this.#mostSpare = mostSpare
  }

  take(): Buffer<ArrayBuffer> {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.size)
  }

  /** Whoever gives a buffer back has no use of it left, not even a write that is under way. */
  give(buffer: Buffer<ArrayBuffer>): void {
    if (this.#spare.length < this.#mostSpare) this.#spare.push(buffer)
  }
}

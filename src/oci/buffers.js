// Plain JavaScript: threads of other rooms need it, too.
/* global Buffer */

/**
 * Large buffers that are used again. They lie outside V8's heap, and those that live for longer than a moment are freed
 * only when all of the heap is marked: gigabytes that pass through would make V8 do that dozens of times a second.
 */
export class Buffers {
  /** Bytes of each. */
  size
  #mostSpare
  /** @type {Buffer<ArrayBuffer>[]} */
  #spare = []

  /**
   * Keeps at most `mostSpare` that nobody uses.
   * @param {number} size
   * @param {number} mostSpare
   */
  constructor(size, mostSpare) {
    this.size = size
    this.#mostSpare = mostSpare
  }

  /** @returns {Buffer<ArrayBuffer>} */
  take() {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.size)
  }

  /**
   * Whoever gives a buffer back has no use of it left, not even a write that is under way.
   * @param {Buffer<ArrayBuffer>} buffer
   */
  give(buffer) {
    if (this.#spare.length < this.#mostSpare) this.#spare.push(buffer)
  }
}

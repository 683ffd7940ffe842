import type { Digest } from '../oci/digest.ts'

/** Counts who reads what, so that nothing goes while it is read. */
export class InUse {
  readonly #counts = new Map<Digest, number>()

  has(digest: Digest): boolean {
    return this.#counts.has(digest)
  }

  /** Returns what ends this use; calling it twice does no harm. */
  begin(digest: Digest): () => void {
    this.#counts.set(digest, (this.#counts.get(digest) ?? 0) + 1)
    let ended = false
    return () => {
      if (ended) return
      ended = true
      const left = this.#counts.get(digest)! - 1
      if (left === 0) this.#counts.delete(digest)
      else this.#counts.set(digest, left)
    }
  }
}

/** Work that several callers want at the same moment and that is done once. It goes on whoever of them leaves. */
export class Flights {
  readonly #running = new Map<string, Promise<unknown>>()

  /** How many kinds of work go on. */
  get size(): number {
    return this.#running.size
  }

  has(key: string): boolean {
    return this.#running.has(key)
  }

  share<T>(key: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key)
    if (running) return running as Promise<T>
    const started = work().finally(() => this.#running.delete(key))
    this.#running.set(key, started)
    return started
  }
}

/** A cap on what is fetched from one upstream. Who reads waits less than read-ahead: that gets what readers leave. */
export class Bandwidth {
  readonly #bytesPerSecond: number
  readonly #now: () => number
  /** When what was granted so far is used up, in milliseconds. */
  #paidUntil = 0
  readonly #waiting: { bytes: number; wanted: () => boolean; go: () => void }[] = []
  #timer: NodeJS.Timeout | undefined

  /** Infinity is no cap at all. */
  constructor(bytesPerSecond: number, now: () => number = () => performance.now()) {
    this.#bytesPerSecond = bytesPerSecond
    this.#now = now
  }

  /** Resolves when so many more bytes may be taken. `wanted` tells whether a reader waits for them, asked again at each turn. */
  async take(bytes: number, wanted: () => boolean): Promise<void> {
    if (this.#bytesPerSecond === Infinity) return
    await new Promise<void>((go) => {
      this.#waiting.push({ bytes, wanted, go })
      this.#serve()
    })
  }

  #serve(): void {
    if (this.#timer || this.#waiting.length === 0) return
    const now = this.#now()
    if (this.#paidUntil > now) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        this.#serve()
      }, this.#paidUntil - now)
      return
    }
    const index = Math.max(
      0,
      this.#waiting.findIndex((one) => one.wanted()),
    )
    const [next] = this.#waiting.splice(index, 1)
    // A pause leaves no credit: bursts are what a cap is to prevent.
    this.#paidUntil = Math.max(this.#paidUntil, now - 50) + (next!.bytes / this.#bytesPerSecond) * 1000
    next!.go()
    this.#serve()
  }
}

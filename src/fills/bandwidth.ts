/** Bytes of small blobs go first, which never wait behind big ones, then what readers wait for, then the rest. */
export type Turn = 'small' | 'wanted' | 'ahead'

const order: Record<Turn, number> = { small: 0, wanted: 1, ahead: 2 }

/** A cap on what is fetched from one upstream. Read-ahead gets what readers leave. */
export class Bandwidth {
  readonly #bytesPerSecond: number
  readonly #now: () => number
  /** When what was granted so far is used up, in milliseconds. */
  #paidUntil = 0
  readonly #waiting: { bytes: number; turn: () => Turn; go: () => void }[] = []
  #timer: NodeJS.Timeout | undefined

  /** Infinity is no cap at all. */
  constructor(bytesPerSecond: number, now: () => number = () => performance.now()) {
    this.#bytesPerSecond = bytesPerSecond
    this.#now = now
  }

  /** Resolves when so many more bytes may be taken. `turn` is asked anew each time somebody may go. */
  async take(bytes: number, turn: () => Turn): Promise<void> {
    if (this.#bytesPerSecond === Infinity) return
    await new Promise<void>((go) => {
      this.#waiting.push({ bytes, turn, go })
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
    const ranks = this.#waiting.map((one) => order[one.turn()])
    const [next] = this.#waiting.splice(ranks.indexOf(Math.min(...ranks)), 1)
    // A pause leaves no credit: bursts are what a cap is to prevent.
    this.#paidUntil = Math.max(this.#paidUntil, now - 50) + (next!.bytes / this.#bytesPerSecond) * 1000
    next!.go()
    this.#serve()
  }
}

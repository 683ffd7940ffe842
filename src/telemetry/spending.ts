import type { SpendingSum } from '../metadata/metadata.ts'
import type { Event } from './events.ts'

/** How often sums are written, in milliseconds. A crash may lose the last of these. */
const writtenEvery = 30_000
/** So many different ones are gathered at most. */
const mostGathered = 5_000

/** Sums up on whose behalf pulls were spent at upstreams, and for which repositories. */
export class Spending {
  readonly #write: (sums: SpendingSum[]) => Promise<void>
  #sums = new Map<string, SpendingSum>()
  readonly #timer: NodeJS.Timeout

  constructor(write: (sums: SpendingSum[]) => Promise<void>) {
    this.#write = write
    this.#timer = setInterval(() => void this.flush(), writtenEvery).unref()
  }

  count(event: Event): void {
    if (event.type !== 'pull-spent') return
    const { upstream, account, repository, caller = '' } = event
    this.#add({ upstream, account, repository, caller, pulls: 1 })
    if (this.#sums.size >= mostGathered) void this.flush()
  }

  /** Writes what has been summed up. What a busy or full database refuses waits for the next time. */
  async flush(): Promise<void> {
    if (this.#sums.size === 0) return
    const sums = [...this.#sums.values()]
    this.#sums = new Map()
    try {
      await this.#write(sums)
    } catch {
      for (const sum of sums.slice(0, mostGathered)) this.#add(sum)
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
  }

  #add(sum: SpendingSum): void {
    const key = `${sum.upstream} ${sum.account} ${sum.caller} ${sum.repository}`
    const known = this.#sums.get(key)
    this.#sums.set(key, known ? { ...known, pulls: known.pulls + sum.pulls } : sum)
  }
}

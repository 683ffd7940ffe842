import type { FigureName, FigureSum } from '../metadata/metadata.ts'
import type { RequestEvent } from '../api/app.ts'
import type { Event } from './events.ts'

/** How often sums are written, in milliseconds. A crash may lose the last of these. */
const writtenEvery = 60_000

export interface FiguresOptions {
  /** The upstream a repository belongs to; empty for one that is hosted. */
  upstreamOf: (name: RequestEvent['name']) => string
  write: (sums: FigureSum[]) => Promise<void>
}

type Counts = Partial<Record<FigureName, number>>

const ofOutcome = { hit: 'hits', miss: 'misses', revalidated: 'revalidated', stale: 'stale' } as const

/** Sums up what rooms tell, for plots over time. Counting is an addition in memory; a timer writes. */
export class Figures {
  readonly #options: FiguresOptions
  #counts = new Map<string, Counts>()
  /** The same ones, by repository, until the next write. */
  readonly #byName = new Map<string, Counts>()
  readonly #timer: NodeJS.Timeout

  constructor(options: FiguresOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.flush(), writtenEvery).unref()
  }

  count(event: Event): void {
    switch (event.type) {
      case 'lookup':
        if (event.kind === 'manifest' || event.kind === 'blob')
          add(this.#of(event.upstream), ofOutcome[event.outcome], 1)
        return
      case 'request':
        if (event.status >= 300 || event.method !== 'GET') return
        if (event.route === 'manifest') add(this.#countsOf(event.name), 'pullsServed', 1)
        else if (event.route === 'blob') add(this.#countsOf(event.name), 'servedBytes', event.bytes)
        return
      case 'upstream-bytes':
        return add(this.#of(event.upstream), 'receivedBytes', event.bytes)
      case 'pull-spent':
        return add(this.#of(event.upstream), 'pullsSpent', 1)
      default:
        return
    }
  }

  /** Writes what has been summed up. What a busy or full database refuses waits for the next time. */
  async flush(): Promise<void> {
    if (this.#counts.size === 0) return
    const counts = this.#counts
    this.#counts = new Map()
    this.#byName.clear()
    const sums = [...counts].flatMap(([subject, values]) =>
      Object.entries(values).map(([figure, value]) => ({ figure: figure as FigureName, subject, value })),
    )
    try {
      await this.#options.write(sums)
    } catch {
      for (const { figure, subject, value } of sums) add(this.#of(subject), figure, value)
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
  }

  /** Found by the repository's name at once: most requests are for what was asked for a moment ago. */
  #countsOf(name: RequestEvent['name']): Counts {
    let counts = this.#byName.get(name)
    if (!counts) this.#byName.set(name, (counts = this.#of(this.#options.upstreamOf(name))))
    return counts
  }

  #of(subject: string): Counts {
    let counts = this.#counts.get(subject)
    if (!counts) this.#counts.set(subject, (counts = {}))
    return counts
  }
}

function add(counts: Counts, figure: FigureName, value: number): void {
  counts[figure] = (counts[figure] ?? 0) + value
}

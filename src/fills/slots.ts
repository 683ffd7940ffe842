/** How many connections fills may hold at once. */
export interface SlotLimits {
  total: number
  perUpstream: number
}

export interface SlotRequest {
  /** Who asks: connections are shared out evenly among these. */
  fill: object
  upstream: string
  /** Small blobs have a lane of their own and never wait behind big ones. */
  small: boolean
  /** Whether a reader waits for what is to be fetched, by now; such requests go first. */
  wanted: () => boolean
}

/** Connections kept aside for small blobs, beside the limits; when all are in use, small blobs count as others do. */
const smallLane = 16

/** The part of the limits that bytes nobody waits for yet may use: who comes next finds a connection free. */
const sharedAhead = 0.75

interface Waiting {
  request: SlotRequest
  grant: (release: () => void) => void
}

/** Shares out upstream connections: readers before read-ahead, fills with few connections before those with many. */
export class Slots {
  readonly #limits: SlotLimits
  #waiting: Waiting[] = []
  readonly #held = new Map<object, number>()
  readonly #byUpstream = new Map<string, number>()
  #shared = 0
  #aside = 0

  constructor(limits: SlotLimits) {
    this.#limits = limits
  }

  /** Resolves with a function that gives the connection back; call it once. */
  acquire(request: SlotRequest): Promise<() => void> {
    return new Promise((grant) => {
      this.#waiting.push({ request, grant })
      this.#share()
    })
  }

  #share(): void {
    for (;;) {
      const next = this.#next()
      if (!next) return
      this.#waiting.splice(this.#waiting.indexOf(next), 1)
      const aside = this.#mayStandAside(next.request)
      this.#count(next.request, aside, 1)
      next.grant(() => {
        this.#count(next.request, aside, -1)
        this.#share()
      })
    }
  }

  #next(): Waiting | undefined {
    const free = this.#waiting.filter((waiting) => this.#fits(waiting.request))
    const rank = ({ request }: Waiting) => (request.wanted() ? 0 : 1_000_000) + (this.#held.get(request.fill) ?? 0)
    return free.reduce<Waiting | undefined>((best, one) => (best && rank(best) <= rank(one) ? best : one), undefined)
  }

  #mayStandAside({ small }: SlotRequest): boolean {
    return small && this.#aside < smallLane
  }

  #fits(request: SlotRequest): boolean {
    if (this.#mayStandAside(request)) return true
    const { upstream } = request
    const { total, perUpstream } = this.#limits
    const share = request.wanted() ? 1 : sharedAhead
    return this.#shared < total * share && (this.#byUpstream.get(upstream) ?? 0) < perUpstream * share
  }

  #count({ upstream, fill }: SlotRequest, aside: boolean, by: 1 | -1): void {
    add(this.#held, fill, by)
    if (aside) this.#aside += by
    else {
      this.#shared += by
      add(this.#byUpstream, upstream, by)
    }
  }
}

function add<K>(counts: Map<K, number>, key: K, by: number): void {
  const sum = (counts.get(key) ?? 0) + by
  if (sum === 0) counts.delete(key)
  else counts.set(key, sum)
}

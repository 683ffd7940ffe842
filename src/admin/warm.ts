import type { WarmOrder } from '../metadata/metadata.ts'
import { RegistryError } from '../oci/errors.ts'
import type { Guard, Visitor } from './visitor.ts'
import type { WarmListState, WarmRunState, Workings } from './workings.ts'

/** Of runs that somebody began by hand so many are shown. */
const shownByHand = 10

export interface WarmView {
  readonly lists: readonly WarmListState[]
  /** The newest first. */
  readonly byHand: readonly WarmRunState[]
}

/** What is fetched before anybody wants it; all of it for administrators. */
export class WarmAdmin {
  readonly #guard: Guard
  readonly #workings: Workings['warm']

  constructor({ guard, workings }: { guard: Guard; workings: Workings }) {
    this.#guard = guard
    this.#workings = workings.warm
  }

  async view(visitor: Visitor): Promise<WarmView> {
    await this.#guard.expectAdministrator(visitor)
    return { lists: await this.#workings.lists(), byHand: await this.#workings.byHand(shownByHand) }
  }

  /** Throws NAME_UNKNOWN. */
  async run(visitor: Visitor, id: number): Promise<WarmRunState> {
    await this.#guard.expectAdministrator(visitor)
    const run = await this.#workings.find(id)
    if (!run) throw new RegistryError('NAME_UNKNOWN', `no run ${id} is known: of each list the last few are`)
    return run
  }

  /** Begins to fetch a list, if that is not going on already. Throws NAME_UNKNOWN. */
  async fetchList(visitor: Visitor, name: string): Promise<WarmRunState> {
    await this.#guard.expectAdministrator(visitor)
    const run = await this.#workings.fetchList(name)
    if (!run) throw new RegistryError('NAME_UNKNOWN', `no warm list ${JSON.stringify(name)} is configured`)
    this.#guard.done(visitor, 'fetch', undefined, `warm list ${name}`)
    return run
  }

  /** Begins to fetch what an order names. Throws what is wrong with a reference. */
  async fetch(visitor: Visitor, order: WarmOrder): Promise<WarmRunState> {
    await this.#guard.expectAdministrator(visitor)
    const run = await this.#workings.fetch(order)
    this.#guard.done(visitor, 'fetch', undefined, order.references.join(' '))
    return run
  }

  /** Ends a run; false where it is over. */
  async cancel(visitor: Visitor, id: number): Promise<boolean> {
    const { list, order } = await this.run(visitor, id)
    const stopped = this.#workings.cancel(id)
    const what = list === undefined ? order.references.join(' ') : `warm list ${list}`
    if (stopped) this.#guard.done(visitor, 'fetch stopped', undefined, what)
    return stopped
  }
}

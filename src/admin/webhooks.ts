import type { AttemptRecord } from '../metadata/metadata.ts'
import { RegistryError } from '../oci/errors.ts'
import type { Guard, Visitor } from './visitor.ts'
import type { HookState, WaitingEvent, Workings } from './workings.ts'

/** Of what waits for a receiver so much is shown. */
const mostShown = 200

/** Receivers of webhooks, and how telling them goes; all of it for administrators. An unknown name throws NAME_UNKNOWN. */
export class WebhooksAdmin {
  readonly #guard: Guard
  readonly #workings: Workings['webhooks']

  constructor({ guard, workings }: { guard: Guard; workings: Workings }) {
    this.#guard = guard
    this.#workings = workings.webhooks
  }

  async list(visitor: Visitor): Promise<readonly HookState[]> {
    await this.#guard.expectAdministrator(visitor)
    return this.#workings.list()
  }

  async get(visitor: Visitor, name: string): Promise<{ hook: HookState; waiting: readonly WaitingEvent[] }> {
    await this.#guard.expectAdministrator(visitor)
    const hook = (await this.#workings.list()).find((each) => each.name === name)
    if (!hook) throw unknown(name)
    return { hook, waiting: (await this.#workings.waitingFor(name, mostShown)) ?? [] }
  }

  /** Sends what waits now, all of it or the event of an id; how many events that are. */
  async sendAgain(visitor: Visitor, name: string, id?: string): Promise<number> {
    await this.get(visitor, name)
    const count = await this.#workings.sendAgain(name, id)
    this.#guard.done(visitor, 'webhook sent again', undefined, id === undefined ? name : `${name} ${id}`)
    return count
  }

  /** Sends an event that is only a test, once, and tells how that went. */
  async test(visitor: Visitor, name: string): Promise<AttemptRecord> {
    await this.#guard.expectAdministrator(visitor)
    const attempt = await this.#workings.test(name)
    if (!attempt) throw unknown(name)
    this.#guard.done(visitor, 'webhook tested', undefined, name)
    return attempt
  }
}

function unknown(name: string): RegistryError {
  return new RegistryError('NAME_UNKNOWN', `no webhook ${JSON.stringify(name)} is configured`)
}

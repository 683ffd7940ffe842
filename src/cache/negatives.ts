import { LRUCache } from 'lru-cache'
import type { RegistryError } from '../oci/errors.ts'

/** How long an upstream's 404 is believed, in milliseconds: short, for what is missing now is often pushed next. */
const believed = 5_000

/** Absences an upstream has told of lately, so that a client in a loop asks it once. */
export class Negatives {
  readonly #now: () => number
  readonly #known = new LRUCache<string, { error: RegistryError; until: number }>({ max: 500 })

  constructor(now: () => number) {
    this.#now = now
  }

  /** Throws the absence if one is still believed. */
  check(key: string): void {
    const known = this.#known.get(key)
    if (known && this.#now() < known.until) throw known.error
  }

  note(key: string, error: RegistryError): void {
    this.#known.set(key, { error, until: this.#now() + believed })
  }
}

import { LRUCache } from 'lru-cache'
import type { RepositoryKey } from './metadata.ts'
import type { Statements } from './statements.ts'

/** The rows of upstreams' repositories, by which all else refers to them. */
export class RepositoryIds {
  readonly #sql: Pick<Statements, 'findRepository' | 'addRepository'>
  readonly #known = new LRUCache<string, number>({ max: 10_000 })

  constructor(sql: Pick<Statements, 'findRepository' | 'addRepository'>) {
    this.#sql = sql
  }

  /** Undefined where there is none. */
  find({ registry, name }: RepositoryKey): number | undefined {
    const key = `${registry} ${name}`
    const known = this.#known.get(key) ?? this.#sql.findRepository.get(registry, name)?.id
    if (known !== undefined) this.#known.set(key, known)
    return known
  }

  /** Makes one where there is none; within a write. */
  of(repository: RepositoryKey): number {
    const known = this.find(repository)
    if (known !== undefined) return known
    // Not remembered here: a transaction around this may still be rolled back.
    return this.#sql.addRepository.get(repository.registry, repository.name)!.id
  }
}

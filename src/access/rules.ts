import { RegistryError } from '../oci/errors.ts'
import { namePattern } from '../oci/pattern.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'

export interface ContentRules {
  /** Patterns of `name:tag`; all others are refused where there is one. A pattern without a colon fits every tag. */
  readonly allow: readonly string[]
  /** Patterns that are refused, also where `allow` fits. */
  readonly deny: readonly string[]
}

/** What may be pulled from one upstream, whoever asks. */
export class Rules {
  readonly #upstream: string
  readonly #allow: readonly Rule[]
  readonly #deny: readonly Rule[]
  readonly used: boolean

  constructor(upstream: string, { allow, deny }: ContentRules) {
    this.#upstream = upstream
    this.#allow = allow.map(parse)
    this.#deny = deny.map(parse)
    this.used = allow.length > 0 || deny.length > 0
  }

  /** Throws DENIED. Where a repository has tags of both kinds, its tags decide. */
  checkName(name: RepositoryName): void {
    const denied = this.#deny.find((rule) => rule.everyTag && rule.name(name))
    if (denied) throw this.#refusal(name, `deny: ${denied.text}`)
    if (this.#allow.length === 0 || this.#allow.some((rule) => rule.name(name))) return
    throw this.#refusal(name, 'no pattern of allow fits')
  }

  checkTag(name: RepositoryName, tag: Tag): void {
    const why = this.#against(name, tag)
    if (why !== undefined) throw this.#refusal(`${name}:${tag}`, why)
  }

  /** A digest is judged by the tags it is known by: refused when all of them are. */
  checkDigest(name: RepositoryName, tags: readonly Tag[]): void {
    const reasons = tags.map((tag) => this.#against(name, tag))
    if (reasons.length > 0 && reasons.every((why) => why !== undefined)) {
      throw this.#refusal(`${name}:${tags[0]}`, reasons[0]!)
    }
  }

  permits(name: RepositoryName, tag: Tag): boolean {
    return this.#against(name, tag) === undefined
  }

  /** Whether tags of this repository are told from one another. */
  tellsTags(name: RepositoryName): boolean {
    return [...this.#allow, ...this.#deny].some((rule) => !rule.everyTag && rule.name(name))
  }

  #against(name: RepositoryName, tag: Tag): string | undefined {
    const denied = this.#deny.find((rule) => rule.name(name) && rule.tag(tag))
    if (denied) return `deny: ${denied.text}`
    if (this.#allow.length === 0 || this.#allow.some((rule) => rule.name(name) && rule.tag(tag))) return undefined
    return 'no pattern of allow fits'
  }

  #refusal(what: string, why: string): RegistryError {
    return new RegistryError('DENIED', `${what} may not be pulled from ${this.#upstream} here (${why})`)
  }
}

interface Rule {
  readonly text: string
  readonly name: (name: string) => boolean
  readonly tag: (tag: string) => boolean
  readonly everyTag: boolean
}

function parse(text: string): Rule {
  const colon = text.indexOf(':')
  const tag = colon < 0 ? '*' : text.slice(colon + 1)
  const name = namePattern(colon < 0 ? text : text.slice(0, colon))
  return { text, name, tag: namePattern(tag), everyTag: tag === '*' || tag === '**' }
}

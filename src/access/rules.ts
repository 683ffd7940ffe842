import { LRUCache } from 'lru-cache'
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
  readonly #byTag: boolean
  readonly #tells = new LRUCache<RepositoryName, boolean>({ max: 10_000 })
  readonly used: boolean

  constructor(upstream: string, { allow, deny }: ContentRules) {
    this.#upstream = upstream
    this.#allow = allow.map(parse)
    this.#deny = deny.map(parse)
    this.#byTag = [...this.#allow, ...this.#deny].some(({ everyTag }) => !everyTag)
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

  permits(name: RepositoryName, tag: Tag): boolean {
    return this.#against(name, tag) === undefined
  }

  /** Whether tags of this repository are told from one another. */
  tellsTags(name: RepositoryName): boolean {
    if (!this.#byTag) return false
    const known = this.#tells.get(name)
    if (known !== undefined) return known
    const tells = [...this.#allow, ...this.#deny].some((rule) => !rule.everyTag && rule.name(name))
    this.#tells.set(name, tells)
    return tells
  }

  /** Whether what has no tag is refused: some of the repository's tags are allowed, and nothing besides. */
  needsTag(name: RepositoryName): boolean {
    return this.#allow.length > 0 && !this.#allow.some((rule) => rule.everyTag && rule.name(name))
  }

  /** The tags of a repository that are denied; undefined where a pattern among them says so. */
  plainDeniedTags(name: RepositoryName): Tag[] | undefined {
    const fitting = this.#deny.filter((rule) => !rule.everyTag && rule.name(name))
    return fitting.some(({ tagText }) => tagText.includes('*'))
      ? undefined
      : fitting.map(({ tagText }) => tagText as Tag)
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
  readonly tagText: string
  readonly tag: (tag: string) => boolean
  readonly everyTag: boolean
}

function parse(text: string): Rule {
  const colon = text.indexOf(':')
  const tag = colon < 0 ? '*' : text.slice(colon + 1)
  const name = namePattern(colon < 0 ? text : text.slice(0, colon))
  return { text, name, tagText: tag, tag: namePattern(tag), everyTag: tag === '*' || tag === '**' }
}

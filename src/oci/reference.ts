import { isDigest, parseDigest, quote, type Digest } from './digest.ts'
import { RegistryError } from './errors.ts'

/** A repository's name: path components of the specification's grammar, at most 255 characters. */
export type RepositoryName = string & { readonly __brand: 'RepositoryName' }
export type Tag = string & { readonly __brand: 'Tag' }
/** What names a manifest in a repository. A tag holds no colon, so the two never meet. */
export type Reference = Tag | Digest

const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
/** A component without dots: with one it would be a host's name to clients. */
const namespace = /^[a-z0-9]+(?:(?:_|__|-+)[a-z0-9]+)*$/
const tag = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/

/** Reads a repository name. Throws NAME_INVALID naming the component at fault. */
export function parseRepositoryName(text: string): RepositoryName {
  if (text.length === 0 || text.length > 255) {
    throw new RegistryError('NAME_INVALID', `repository name must have 1 to 255 characters, saw ${text.length}`)
  }
  for (const part of text.split('/')) {
    if (!component.test(part)) {
      throw new RegistryError(
        'NAME_INVALID',
        `repository name must be lower-case components of letters, digits and . _ __ - between them, saw ${quote(part)} in ${quote(text)}`,
      )
    }
  }
  return text as RepositoryName
}

/** Whether what is hosted can have this as the first component of its name. */
export function isNamespace(text: string): boolean {
  return namespace.test(text)
}

/** Of the whole name of what is cached, its upstream's part; empty where there is none. */
export function upstreamOf(name: RepositoryName): string {
  return name.slice(0, Math.max(0, name.indexOf('/')))
}

/** The two parts of the whole name of what is cached: which upstream's it is, and how it is named there. */
export function splitName(name: RepositoryName): { registry: string; name: RepositoryName } {
  return { registry: upstreamOf(name), name: name.slice(name.indexOf('/') + 1) as RepositoryName }
}

/** Reads a tag. Throws TAG_INVALID. */
export function parseTag(text: string): Tag {
  if (!tag.test(text)) {
    throw new RegistryError(
      'TAG_INVALID',
      `tag must be a letter, digit or _ and up to 127 more of these or . -, saw ${quote(text)}`,
    )
  }
  return text as Tag
}

/** Reads what follows `manifests/`: with a colon it must be a digest, else a tag. */
export function parseReference(text: string): Reference {
  return text.includes(':') ? parseDigest(text) : parseTag(text)
}

export function isTag(reference: Reference): reference is Tag {
  return !isDigest(reference)
}

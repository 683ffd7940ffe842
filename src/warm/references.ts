import { parseDigest, quote } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { namePattern } from '../oci/pattern.ts'
import { parseTag, type Reference, type Tag } from '../oci/reference.ts'

/** One thing that is to be here: a tag or a digest, or all tags of a repository that fit a pattern. */
export interface Wanted {
  /** The repository as it was written. */
  readonly path: string
  readonly reference: Reference | undefined
  /** Instead of `reference`. */
  readonly pattern: string | undefined
}

/** Braces may stand for so many texts at most. */
const mostTexts = 100

/**
 * Reads `docker.io/library/node:22`, `node@sha256:...`, `docker.io/library/node:{20,22}-*`; without a tag it is `latest`.
 * Throws TAG_INVALID, DIGEST_INVALID or NAME_INVALID.
 */
export function readWanted(text: string): Wanted[] {
  return expand(text).map((one) => {
    const at = one.indexOf('@')
    if (at >= 0)
      return { path: pathOf(one.slice(0, at), text), reference: parseDigest(one.slice(at + 1)), pattern: undefined }
    const colon = one.lastIndexOf(':')
    const hasTag = colon > one.lastIndexOf('/')
    const tag = hasTag ? one.slice(colon + 1) : 'latest'
    const path = pathOf(hasTag ? one.slice(0, colon) : one, text)
    return tag.includes('*')
      ? { path, reference: undefined, pattern: tagPattern(tag) }
      : { path, reference: parseTag(tag), pattern: undefined }
  })
}

function pathOf(path: string, text: string): string {
  if (path !== '' && !path.includes('*')) return path
  const message = `only tags can be patterns, for upstreams do not list their repositories: saw ${quote(text)}`
  throw new RegistryError('NAME_INVALID', message)
}

function tagPattern(text: string): string {
  // A tag in which each star stands for one letter must be one.
  parseTag(text.replace(/\*+/g, 'x'))
  return text
}

/** `{20,22}-*` stands for `20-*` and `22-*`. Throws TAG_INVALID for braces that do not pair. */
function expand(text: string): string[] {
  const [whole, before = '', choices = '', after = ''] = /^([^{}]*)\{([^{}]*)\}(.*)$/.exec(text) ?? []
  if (whole === undefined) {
    if (!/[{}]/.test(text)) return [text]
    throw new RegistryError('TAG_INVALID', `braces must pair and hold no other braces, saw ${quote(text)}`)
  }
  const rest = expand(after)
  const texts = choices.split(',').flatMap((choice) => rest.map((end) => before + choice + end))
  if (texts.length <= mostTexts) return texts
  throw new RegistryError('TAG_INVALID', `braces must stand for ${mostTexts} references at most, saw ${quote(text)}`)
}

/** The first `limit` that fit a pattern: by version, or as they came. */
export function chooseTags(
  tags: readonly Tag[],
  { pattern, limit, order }: { pattern: string; limit: number; order: 'version' | 'pulls' },
): Tag[] {
  const fitting = tags.filter(namePattern(pattern))
  return (order === 'version' ? fitting.sort(byVersion) : fitting).slice(0, limit)
}

/**
 * Highest version first: runs of digits count as numbers. Where one tag goes on behind another, the shorter comes first: `22`
 * means the newest of what `22.11` and `22.11.0` mean, and `1.0.0` follows on `1.0.0-rc1`.
 */
export function byVersion(one: Tag, other: Tag): number {
  const ones = one.split(/(\d+)/)
  const others = other.split(/(\d+)/)
  for (let i = 0; i < Math.min(ones.length, others.length); i++) {
    const [a, b] = [ones[i]!, others[i]!]
    if (a === b) continue
    // Every other part is digits.
    const difference = i % 2 === 1 ? Number(b) - Number(a) : 0
    return difference === 0 ? (a < b ? -1 : 1) : difference
  }
  return ones.length - others.length
}

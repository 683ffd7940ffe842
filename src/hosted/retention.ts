import { namePattern } from '../oci/pattern.ts'
import type { Digest } from '../oci/digest.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { EarlierMeaning, TagFacts } from '../metadata/metadata.ts'

/** Which tags of some repositories stay: those that any of the first three keeps, all of them where there is none of these. */
export interface RetentionRule {
  /** Pattern of a repository's name. */
  readonly match: string
  /** This many, counted from the one pushed last. */
  readonly keepLast?: number | undefined
  /** Those pushed within so many milliseconds. */
  readonly keepYounger?: number | undefined
  /** Patterns of tags. */
  readonly keepTags?: readonly string[] | undefined
  /** So many of the digests that each tag meant before stay, to roll back to. */
  readonly keepEarlier?: number | undefined
}

export interface Removal {
  readonly tag: TagFacts
  /** Why, in words for the operator. */
  readonly why: string
}

/** The tags that the first rule for their repository does not keep. `tags` are sorted, the one pushed last first. */
export function retire(
  rules: readonly RetentionRule[],
  name: RepositoryName,
  tags: readonly TagFacts[],
  now: number,
): Removal[] {
  const rule = rules.find(({ match }) => namePattern(match)(name))
  if (!rule) return []
  const { keepLast, keepYounger, keepTags, keepEarlier } = rule
  const keepsTags = [keepLast, keepYounger, keepTags].some((part) => part !== undefined)
  // It is about what tags meant before alone.
  if (!keepsTags && keepEarlier !== undefined) return []
  const kept = (keepTags ?? []).map(namePattern)
  return tags
    .filter(
      (tag, index) =>
        index >= (keepLast ?? 0) && now - tag.pushedAt >= (keepYounger ?? 0) && !kept.some((fits) => fits(tag.tag)),
    )
    .map((tag) => ({ tag, why: `no part of the retention rule ${rule.match} keeps it` }))
}

/** The digests that the first rule for a repository keeps though their tags have moved on. Of each tag the newest come first. */
export function keptEarlier(
  rules: readonly RetentionRule[],
  name: RepositoryName,
  earlier: readonly EarlierMeaning[],
): Digest[] {
  const most = rules.find(({ match }) => namePattern(match)(name))?.keepEarlier ?? 0
  const kept = new Map<string, Set<Digest>>()
  for (const { tag, digest } of earlier) {
    const ofTag = kept.get(tag) ?? new Set()
    if (ofTag.size < most) kept.set(tag, ofTag.add(digest))
  }
  return [...kept.values()].flatMap((digests) => [...digests])
}

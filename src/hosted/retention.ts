import { namePattern } from '../oci/pattern.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { TagFacts } from '../metadata/metadata.ts'

/** Which tags of some repositories stay: those that any of the three keeps. */
export interface RetentionRule {
  /** Pattern of a repository's name. */
  readonly match: string
  /** This many, counted from the one pushed last. */
  readonly keepLast?: number | undefined
  /** Those pushed within so many milliseconds. */
  readonly keepYounger?: number | undefined
  /** Patterns of tags. */
  readonly keepTags?: readonly string[] | undefined
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
  const { keepLast = 0, keepYounger = 0 } = rule
  const kept = (rule.keepTags ?? []).map(namePattern)
  return tags
    .filter(
      (tag, index) => index >= keepLast && now - tag.pushedAt >= keepYounger && !kept.some((fits) => fits(tag.tag)),
    )
    .map((tag) => ({ tag, why: `no part of the retention rule ${rule.match} keeps it` }))
}

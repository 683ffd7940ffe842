import { namePattern } from '../oci/pattern.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'

/** How long a tag's meaning is taken for granted, in milliseconds: 0 checks every time, Infinity only when told to, 'pinned' never. */
export type FreshFor = number | 'pinned'

/** How a tag is treated. */
export interface TagPolicy {
  readonly freshness: FreshFor
  /** A new meaning is served only once the upstream has kept to it for so many milliseconds; the one before is until then. */
  readonly minAge: number
}

export interface FreshnessRules {
  freshness: FreshFor
  minAge?: number | undefined
  /**
   * The first whose `match` fits `name:tag` decides; a pattern without a colon fits every tag. What it leaves out is as
   * for all tags.
   */
  rules: readonly { match: string; freshness?: FreshFor | undefined; minAge?: number | undefined }[]
}

export type TagPolicies = (name: RepositoryName, tag: Tag) => TagPolicy

export function tagPolicies({ freshness, minAge = 0, rules }: FreshnessRules): TagPolicies {
  const usual = { freshness, minAge }
  if (rules.length === 0) return () => usual
  const compiled = rules.map((rule) => ({
    fits: namePattern(rule.match.includes(':') ? rule.match : `${rule.match}:*`),
    policy: { freshness: rule.freshness ?? freshness, minAge: rule.minAge ?? minAge },
  }))
  return (name, tag) => compiled.find((rule) => rule.fits(`${name}:${tag}`))?.policy ?? usual
}

/** Whether any tag may have to wait. */
export function hasMinAge({ minAge = 0, rules }: FreshnessRules): boolean {
  return minAge > 0 || rules.some((rule) => (rule.minAge ?? 0) > 0)
}

/** Until when a tag that was checked at this time is taken for granted, in milliseconds since 1970. */
export function freshUntil(policy: TagPolicy, checkedAt: number): number {
  return policy.freshness === 'pinned' ? Infinity : checkedAt + policy.freshness
}

const firstBackoff = 5_000
const longestBackoff = 60_000

/** How long after its `failures`th failure in a row an upstream is not asked again about the same tag, in milliseconds. */
export function backoffAfter(failures: number): number {
  return Math.min(longestBackoff, firstBackoff * 2 ** (failures - 1))
}

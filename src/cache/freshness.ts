import { namePattern } from '../oci/pattern.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'

export interface FreshnessRules {
  /** How long a tag's meaning is taken for granted, in milliseconds; 0 checks every time, Infinity never. */
  freshness: number
  /** The first whose `match` fits `name:tag` decides; a pattern without a colon fits every tag. */
  rules: readonly { match: string; freshness: number }[]
}

/** How long a tag's meaning is taken for granted since it was last checked, in milliseconds. */
export type Freshness = (name: RepositoryName, tag: Tag) => number

export function freshnessBy(rules: FreshnessRules): Freshness {
  if (rules.rules.length === 0) return () => rules.freshness
  const compiled = rules.rules.map(({ match, freshness }) => ({
    fits: namePattern(match.includes(':') ? match : `${match}:*`),
    freshness,
  }))
  return (name, tag) => compiled.find((rule) => rule.fits(`${name}:${tag}`))?.freshness ?? rules.freshness
}

const firstBackoff = 5_000
const longestBackoff = 60_000

/** How long after its `failures`th failure in a row an upstream is not asked again about the same tag, in milliseconds. */
export function backoffAfter(failures: number): number {
  return Math.min(longestBackoff, firstBackoff * 2 ** (failures - 1))
}

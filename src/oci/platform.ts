import { namePattern } from './pattern.ts'

/** What an image runs on, as OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT: `linux/amd64`, `linux/arm/v7`. */
export type Platform = string

/**
 * Reads the fields of an index's platform or of an image's config. Undefined when they name no platform: also for
 * `unknown/unknown`, by which BuildKit marks attestations (docs/attestations/attestation-storage.md).
 */
export function platformOf(fields: unknown): Platform | undefined {
  if (typeof fields !== 'object' || fields === null) return undefined
  const { os, architecture, variant } = fields as Record<string, unknown>
  if (typeof os !== 'string' || typeof architecture !== 'string' || os === '' || architecture === '') return undefined
  if (os === 'unknown' && architecture === 'unknown') return undefined
  const parts = [os, architecture, ...(typeof variant === 'string' && variant !== '' ? [variant] : [])]
  return parts.join('/').toLowerCase()
}

/** A predicate for platforms from a pattern such as `linux/*` or `linux/arm`, which fits every variant as well. */
function platformPattern(pattern: string): (platform: Platform) => boolean {
  const fits = [pattern, `${pattern}/*`].map(namePattern)
  return (platform) => fits.some((fit) => fit(platform))
}

/** A predicate for platforms that fit any of these patterns. */
export function anyPlatform(patterns: readonly string[]): (platform: Platform) => boolean {
  const fits = patterns.map(platformPattern)
  return (platform) => fits.some((fit) => fit(platform))
}

/** The same for a list of patterns that, where it is empty, stands for every platform. */
export function chosenPlatforms(patterns: readonly string[]): (platform: Platform) => boolean {
  return patterns.length === 0 ? () => true : anyPlatform(patterns)
}

import type { Descriptor } from '../oci/descriptor.ts'
import { platformOf, platformPattern } from '../oci/platform.ts'

/** Patterns of OS/ARCHITECTURE, as an upstream's settings have them. */
export interface PlatformRules {
  /** What is fetched ahead; none for all. */
  readonly platforms: readonly string[]
  /** What may be pulled at all; none for all. */
  readonly allowPlatforms: readonly string[]
  readonly denyPlatforms: readonly string[]
}

/** Which children of an index are wanted: those for the platforms asked for, else for those of the upstream, else all it allows. */
export function platformChooser(asked: readonly string[], rules: PlatformRules): (child: Descriptor) => boolean {
  const wanted = (asked.length > 0 ? asked : rules.platforms).map(platformPattern)
  const allowed = rules.allowPlatforms.map(platformPattern)
  const denied = rules.denyPlatforms.map(platformPattern)
  return ({ platform }) => {
    const known = platformOf(platform)
    // Attestations say of themselves that they are of no platform; nobody who pulls an image for one asks for them.
    if (known === undefined) return platform === undefined || wanted.length === 0
    const fits = (patterns: ((platform: string) => boolean)[]) => patterns.some((pattern) => pattern(known))
    return (wanted.length === 0 || fits(wanted)) && (allowed.length === 0 || fits(allowed)) && !fits(denied)
  }
}

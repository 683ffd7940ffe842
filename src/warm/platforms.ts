import type { Descriptor } from '../oci/descriptor.ts'
import { anyPlatform, chosenPlatforms, platformOf } from '../oci/platform.ts'

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
  const patterns = asked.length > 0 ? asked : rules.platforms
  const wanted = chosenPlatforms(patterns)
  const allowed = chosenPlatforms(rules.allowPlatforms)
  const denied = anyPlatform(rules.denyPlatforms)
  return ({ platform }) => {
    const known = platformOf(platform)
    // Attestations say of themselves that they are of no platform; nobody who pulls an image for one asks for them.
    if (known === undefined) return platform === undefined || patterns.length === 0
    return wanted(known) && allowed(known) && !denied(known)
  }
}

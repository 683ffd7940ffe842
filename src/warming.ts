import type { Config } from './config/config.ts'
import type { Metadata } from './metadata/metadata.ts'
import type { Namespaces } from './namespaces/namespaces.ts'
import { splitName } from './oci/reference.ts'
import type { RegistrySource } from './oci/registry.ts'
import type { Event } from './telemetry/telemetry.ts'
import { openWarm, type PlatformRules, type Warm } from './warm/warm.ts'

export interface WarmingParts {
  config: Config
  registry: Namespaces
  /** The upstreams themselves, by name. */
  sources: ReadonlyMap<string, RegistrySource>
  metadata: Metadata
  report: (event: Event) => void
  now: () => number
}

const noRules: PlatformRules = { platforms: [], allowPlatforms: [], denyPlatforms: [] }

/** What is to be here before anybody wants it: by the rules of the upstreams it comes from. */
export function warming({ config, registry, sources, metadata, report, now }: WarmingParts): Warm {
  const rules = new Map<string, PlatformRules>(config.upstreams.map((upstream) => [upstream.name, upstream]))
  return openWarm({
    lists: config.warm,
    registry,
    metadata,
    platformRules: (upstream) => rules.get(upstream) ?? noRules,
    isSparing(name, asker) {
      const { registry, name: there } = splitName(name)
      return sources.get(registry)?.isSparing?.(there, asker) ?? false
    },
    report,
    failed: ({ message }) => report({ type: 'storage-failure', message: `warm lists: ${message}` }),
    now,
  })
}

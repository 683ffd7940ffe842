// Which registry a name belongs to. Everything behind this door has one kind of name: for an upstream's repository
// `<upstream>/<name there>`, such as docker.io/library/nginx; for a hosted one its own name, such as alice/app.
import { quote, type Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import type { ByteRange } from '../oci/range.ts'
import {
  parseRepositoryName,
  splitName,
  upstreamOf,
  type Reference,
  type RepositoryName,
  type Tag,
} from '../oci/reference.ts'
import type { Asker, Registry, RegistryReader, TagQuery } from '../oci/registry.ts'
import { writing } from './writing.ts'

/** How a client said which repository it means, unread. */
export interface Address {
  /** What stands for the name in the path. */
  readonly path: string
  /** What stood before `/v2/`. */
  readonly prefix?: string | undefined
  /** `?ns=`: containerd's name for the registry it mirrors. */
  readonly ns?: string | undefined
  /** The Host header. */
  readonly host?: string | undefined
}

export interface UpstreamPlace {
  readonly name: string
  readonly registry: RegistryReader
  readonly aliases?: readonly string[]
  readonly virtualHosts?: readonly string[]
  readonly default?: boolean
}

export interface HostedPlace {
  readonly registry: Registry
  /** Whether the first component of a name is a namespace hosted here. */
  owns(namespace: string): boolean
}

export interface Namespaces extends Registry {
  /** The one name of what an address means. Throws NAME_INVALID, or NAME_UNKNOWN for an upstream that is not configured. */
  locate(address: Address): RepositoryName
  /** The same where a client speaks to one upstream, and every path is a repository of it. */
  locateIn(upstream: string, address: Pick<Address, 'path' | 'prefix'>): RepositoryName
  /** Whether clients have put one upstream in front of all names here: by a path, or by a virtual host. */
  isMirror(address: Pick<Address, 'prefix' | 'host'>): boolean
  /** Whether a name that `locate` gave is hosted here; all others are an upstream's. */
  isHosted(name: RepositoryName): boolean
}

/** Docker Hub alone has names without a slash, which mean its `library/`. */
const dockerHub = 'docker.io'

export function namespaces(upstreams: readonly UpstreamPlace[], hosted?: HostedPlace): Namespaces {
  const byName = new Map<string, UpstreamPlace>()
  const byHost = new Map<string, UpstreamPlace>()
  for (const place of upstreams) {
    for (const name of [place.name, ...(place.aliases ?? [])]) byName.set(normalHost(name), place)
    for (const host of place.virtualHosts ?? []) byHost.set(normalHost(host), place)
  }
  const fallback = upstreams.find((place) => place.default)

  function locate(address: Address): RepositoryName {
    const path = address.prefix ? `${address.prefix}/${address.path}` : address.path
    const first = path.slice(0, Math.max(0, path.indexOf('/')))
    const named =
      first === '' ? undefined : (byName.get(first) ?? (isHost(first) ? byName.get(normalHost(first)) : undefined))
    if (address.ns) {
      // Lower case takes some letters beyond ASCII for others within it.
      const place = isAscii(address.ns) ? byName.get(normalHost(address.ns)) : undefined
      if (!place) notConfigured(address.ns)
      // A mirror set up with a path says the registry twice.
      return nameIn(place, named === place ? path.slice(first.length + 1) : path)
    }
    if (named) return nameIn(named, path.slice(first.length + 1))
    if (isHost(first)) notConfigured(first)
    const virtual = address.host === undefined ? undefined : virtualHost(address.host)
    if (virtual) return nameIn(virtual, path)
    if (hosted?.owns(first || path)) return parseRepositoryName(path)
    return nameIn(fallback ?? notConfigured(path), path)
  }

  function virtualHost(host: string): UpstreamPlace | undefined {
    if (byHost.size === 0) return undefined
    return byHost.get(normalHost(host)) ?? byHost.get(normalHost(host).replace(/:\d+$/, ''))
  }

  function nameIn(place: UpstreamPlace, path: string): RepositoryName {
    const name = place.name === dockerHub && !path.includes('/') ? `library/${path}` : path
    return `${place.name}/${parseRepositoryName(name)}` as RepositoryName
  }

  function notConfigured(name: string): never {
    throw new RegistryError(
      'NAME_UNKNOWN',
      `no upstream ${quote(name)} is configured here; add it under upstreams: (configured: ${upstreams.map((u) => u.name).join(', ')})`,
    )
  }

  function placeOf(name: RepositoryName): UpstreamPlace | undefined {
    return byName.get(upstreamOf(name))
  }

  /** The registry of a name that `locate` gave, and the name there. */
  function at(name: RepositoryName): [RegistryReader, RepositoryName] {
    const place = placeOf(name)
    if (place) return [place.registry, splitName(name).name]
    return hosted ? [hosted.registry, name] : notConfigured(name)
  }

  const isHosted = (name: RepositoryName): boolean => placeOf(name) === undefined

  return {
    locate,
    locateIn(upstream, { path, prefix }) {
      const place = byName.get(upstream) ?? notConfigured(upstream)
      if (prefix)
        throw new RegistryError('NAME_UNKNOWN', `the API of ${upstream} lies at /v2/, saw it below ${quote(prefix)}`)
      return nameIn(place, path)
    },
    isMirror: ({ prefix, host }) => !!prefix || (host !== undefined && virtualHost(host) !== undefined),
    isHosted,
    ...writing(hosted?.registry, isHosted),
    getManifest(name: RepositoryName, reference: Reference, asker?: Asker) {
      const [registry, there] = at(name)
      return registry.getManifest(there, reference, asker)
    },
    headManifest(name: RepositoryName, reference: Reference, asker?: Asker) {
      const [registry, there] = at(name)
      return registry.headManifest(there, reference, asker)
    },
    getBlob(name: RepositoryName, digest: Digest, range?: ByteRange, asker?: Asker) {
      const [registry, there] = at(name)
      return registry.getBlob(there, digest, range, asker)
    },
    async headBlob(name: RepositoryName, digest: Digest, asker?: Asker) {
      const [registry, there] = at(name)
      return registry.headBlob(there, digest, asker)
    },
    async listTags(name: RepositoryName, query: TagQuery, asker?: Asker) {
      const [registry, there] = at(name)
      return registry.listTags(there, query, asker)
    },
    async listReferrers(name: RepositoryName, digest: Digest, asker?: Asker) {
      const [registry, there] = at(name)
      return registry.listReferrers(there, digest, asker)
    },
    async tagHistory(name: RepositoryName, tag: Tag, asker?: Asker) {
      const [registry, there] = at(name)
      return (await registry.tagHistory?.(there, tag, asker)) ?? []
    },
  }
}

const isAscii = (text: string): boolean => /^[\x21-\x7e]+$/.test(text)

/** Whether a name's first component can only be a registry's. */
function isHost(component: string): boolean {
  return component.includes('.') || component.includes(':')
}

/** A registry's host as one string: lower case, without the port that https has anyway, without a root dot. */
function normalHost(host: string): string {
  return host.toLowerCase().replace(/:443$/, '').replace(/\.$/, '')
}

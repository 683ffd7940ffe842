import { RegistryError } from '../oci/errors.ts'
import { isNamespace } from '../oci/reference.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { Guard, Visitor } from './visitor.ts'
import type { Workings } from './workings.ts'

/** What the settings say of names. */
export interface Naming {
  /** Namespaces that are hosted by the settings. */
  readonly configured: readonly string[]
  /** The upstream that clients call by this name. */
  upstreamOf(name: string): string | undefined
}

export interface NamespacesAdminOptions {
  metadata: Metadata
  guard: Guard
  naming: Naming
  workings: Workings
  now: () => number
}

/** Which namespaces are hosted here. All of it is for administrators. */
export class NamespacesAdmin {
  readonly #options: NamespacesAdminOptions

  constructor(options: NamespacesAdminOptions) {
    this.#options = options
  }

  /** In order. */
  async list(visitor: Visitor): Promise<string[]> {
    const { metadata, guard, naming } = this.#options
    await guard.expectAdministrator(visitor)
    return [...new Set([...naming.configured, ...(await metadata.hosted.listNamespaces())])].sort()
  }

  /** False when it is there already. Throws NAME_INVALID for what is no namespace, or is what an upstream is called. */
  async add(visitor: Visitor, name: string): Promise<boolean> {
    const { metadata, guard, naming, workings, now } = this.#options
    await guard.expectAdministrator(visitor)
    if (!isNamespace(name)) {
      const saw = JSON.stringify(name.slice(0, 100))
      const wanted = 'a namespace must be lower-case letters and digits with - or _ between them'
      throw new RegistryError('NAME_INVALID', `${wanted}, saw ${saw}`)
    }
    const upstream = naming.upstreamOf(name)
    if (upstream !== undefined) {
      throw new RegistryError('NAME_INVALID', `${name} is what the upstream ${upstream} is called; choose another name`)
    }
    const added = await metadata.hosted.addNamespace(name, now())
    await workings.namespacesChanged()
    if (added) guard.done(visitor, 'namespace added', name)
    return added
  }

  /** Throws NAME_UNKNOWN where there is none, and DENIED for one that has content or stands in the settings. */
  async remove(visitor: Visitor, name: string): Promise<void> {
    const { metadata, guard, naming, workings } = this.#options
    await guard.expectAdministrator(visitor)
    if (naming.configured.includes(name)) {
      throw new RegistryError('DENIED', `${name} stands in the settings (hosted.namespaces): take it out there`)
    }
    const removed = await metadata.hosted.removeNamespace(name)
    if (!removed) {
      throw new RegistryError(
        'NAME_UNKNOWN',
        `there is no namespace ${name.slice(0, 100)}; berth namespace list tells which there are`,
      )
    }
    if (removed.repositories > 0) {
      const what = removed.repositories === 1 ? '1 repository' : `${removed.repositories} repositories`
      throw new RegistryError('DENIED', `${name} still holds ${what}: delete their manifests, and run berth collect`)
    }
    await workings.namespacesChanged()
    guard.done(visitor, 'namespace removed', name)
  }
}

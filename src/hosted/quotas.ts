import { RegistryError } from '../oci/errors.ts'
import { namePattern } from '../oci/pattern.ts'
import type { HostedMetadata } from '../metadata/metadata.ts'

export interface QuotaRule {
  /** Pattern of a namespace. */
  readonly namespace: string
  readonly bytes?: number | undefined
  readonly tags?: number | undefined
}

/** Room that an upload may take up while it runs. */
export interface Admission {
  /** Bytes that may come. */
  readonly room: number
  release(): void
}

/** How much each namespace may hold. What runs counts as well, so that many uploads at once do not all get the last room. */
export class Quotas {
  readonly #metadata: HostedMetadata
  readonly #rules: { fits: (namespace: string) => boolean; bytes: number; tags: number }[]
  readonly #running = new Map<string, number>()

  constructor(rules: readonly QuotaRule[], metadata: HostedMetadata) {
    this.#metadata = metadata
    this.#rules = rules.map(({ namespace, bytes = Infinity, tags = Infinity }) => ({
      fits: namePattern(namespace),
      bytes,
      tags,
    }))
  }

  maxTags(namespace: string): number {
    return this.#ruleOf(namespace)?.tags ?? Infinity
  }

  /** Throws DENIED when `size` bytes, or any at all where it is unknown, are more than there is room for. */
  async admit(namespace: string, size: number | undefined): Promise<Admission> {
    const bytes = this.#ruleOf(namespace)?.bytes ?? Infinity
    if (bytes === Infinity) return { room: Infinity, release: () => {} }
    const used = (await this.#metadata.usage(namespace)).bytes + (this.#running.get(namespace) ?? 0)
    const room = bytes - used
    if (room < (size ?? 1)) throw overQuota(namespace, bytes, used)
    this.#count(namespace, size ?? 0)
    return { room: size ?? room, release: () => this.#count(namespace, -(size ?? 0)) }
  }

  #count(namespace: string, bytes: number): void {
    const running = (this.#running.get(namespace) ?? 0) + bytes
    if (running > 0) this.#running.set(namespace, running)
    else this.#running.delete(namespace)
  }

  #ruleOf(namespace: string): { bytes: number; tags: number } | undefined {
    return this.#rules.find((rule) => rule.fits(namespace))
  }
}

function overQuota(namespace: string, bytes: number, used: number): RegistryError {
  const message = `namespace ${namespace} may hold ${bytes} bytes and holds ${used}: this does not fit. Delete something, or raise its quota (hosted.quotas)`
  return new RegistryError('DENIED', message)
}

export function overQuotaOfTags(namespace: string, most: number, present: number): RegistryError {
  const message = `namespace ${namespace} may have ${most} tags and has ${present}: delete some, or raise its quota (hosted.quotas)`
  return new RegistryError('DENIED', message)
}

import type { HostedMetadata } from '../metadata/metadata.ts'

/** How often it is looked whether a namespace was added or removed, by `berth namespace` for instance; in milliseconds. */
export const namespacesSeenWithin = 100

/** The namespaces hosted here. Known without waiting: every name that no upstream is named in asks for them. */
export class OwnedNamespaces {
  readonly #metadata: HostedMetadata
  readonly #configured: ReadonlySet<string>
  #added: ReadonlySet<string> = new Set()
  #timer: NodeJS.Timeout | undefined

  constructor(metadata: HostedMetadata, configured: readonly string[]) {
    this.#metadata = metadata
    this.#configured = new Set(configured)
  }

  has(namespace: string): boolean {
    return this.#configured.has(namespace) || this.#added.has(namespace)
  }

  /** Rejects when they cannot be read the first time; later the last ones read stay in force. */
  async load(): Promise<void> {
    await this.refresh()
    this.#timer = setInterval(() => void this.refresh().catch(() => {}), namespacesSeenWithin).unref()
  }

  /** Rejects when they cannot be read. */
  async refresh(): Promise<void> {
    this.#added = new Set(await this.#metadata.listNamespaces())
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

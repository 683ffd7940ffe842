import type { NotedChange, WebhookMetadata } from '../metadata/metadata.ts'

/** So many changes are read at once. */
const batch = 100
/** After a failure it is tried again, in milliseconds. */
const pause = 1_000

export interface OutboxOptions {
  metadata: WebhookMetadata
  /** Replaces a change by its deliveries. What it rejects with leaves the change to be settled later. */
  settle: (change: NotedChange) => Promise<void>
  failed: (error: Error) => void
}

/** Changes of tags that were noted with the tags themselves, and are to become deliveries: one after another, oldest first. */
export class Outbox {
  readonly #options: OutboxOptions
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #more = false
  #stopped = false

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Settles what is there. Call it when something may have been noted. */
  wake(): void {
    this.#more = true
    if (this.#stopped) return
    clearTimeout(this.#timer)
    this.#running ??= this.#run()
  }

  /** What is not settled by then waits for the next start. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      while (this.#more && !this.#stopped) await this.#settleSome()
    } catch (error) {
      this.#options.failed(error as Error)
      if (!this.#stopped) this.#timer = setTimeout(() => this.wake(), pause).unref()
    }
    // In the same turn as the last look, so that nobody relies on a run that has ended.
    this.#running = undefined
  }

  async #settleSome(): Promise<void> {
    this.#more = false
    const changes = await this.#options.metadata.notedChanges(batch)
    if (changes.length === batch) this.#more = true
    for (const change of changes) if (!this.#stopped) await this.#options.settle(change)
  }
}

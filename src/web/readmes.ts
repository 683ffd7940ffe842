import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { LRUCache } from 'lru-cache'
import { Flights } from '../oci/flights.ts'

/** A text that cannot be rendered in this time is shown as it is, in milliseconds. */
const patience = 5_000
/** A worker that had nothing to do for so long is stopped, in milliseconds: it holds some 20 MiB. */
const idle = 30_000
/** Texts that may wait for the worker. */
const longestQueue = 20
/** Characters of rendered HTML. */
const largestPage = 1024 * 1024

interface Order {
  readonly text: string
  readonly done: (html: string | undefined) => void
}

/**
 * Markdown by strangers as HTML that may stand on a page. What was rendered is kept by its content; a worker, which is there
 * only while there is something to render, does it, so that a text made to take long costs nobody anything else.
 */
export class Readmes {
  readonly #known = new LRUCache<string, { html: string | undefined }>({
    maxSize: 2 * 1024 * 1024,
    sizeCalculation: ({ html = '' }) => 200 + 2 * html.length,
  })
  readonly #flights = new Flights()
  #queue: Order[] = []
  #worker: Worker | undefined
  #timer: NodeJS.Timeout | undefined

  /** `stopping`: aborted when the server stops. */
  constructor(stopping: AbortSignal) {
    stopping.addEventListener('abort', () => this.#close(), { once: true })
  }

  /** Undefined for a text that cannot be rendered, or not within some seconds. */
  async html(markdown: string): Promise<string | undefined> {
    const key = createHash('sha256').update(markdown).digest('base64')
    const known = this.#known.get(key)
    if (known) return known.html
    return this.#flights.share(key, () => this.#render(key, markdown))
  }

  async #render(key: string, text: string): Promise<string | undefined> {
    if (this.#queue.length >= longestQueue) return undefined
    const html = await new Promise<string | undefined>((done) => {
      this.#queue.push({ text, done })
      if (this.#queue.length === 1) this.#next()
    })
    this.#known.set(key, { html })
    return html
  }

  #next(): void {
    const [order] = this.#queue
    clearTimeout(this.#timer)
    if (!order) {
      this.#timer = setTimeout(() => this.#stop(), idle).unref()
      return
    }
    this.#worker ??= this.#start()
    this.#worker.postMessage(order.text)
    this.#timer = setTimeout(() => this.#fail(), patience)
  }

  #start(): Worker {
    const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 }
    const worker = new Worker(new URL('./markdown-worker.js', import.meta.url), { execArgv: [], resourceLimits })
    worker.unref()
    worker.on('message', (html: string) => this.#ended(html.length > largestPage ? undefined : html))
    worker.on('error', () => worker === this.#worker && this.#fail())
    return worker
  }

  /** What a text did to its worker must not be left to the next one. */
  #fail(): void {
    this.#stop()
    this.#ended(undefined)
  }

  #ended(html: string | undefined): void {
    this.#queue.shift()?.done(html)
    this.#next()
  }

  #close(): void {
    this.#stop()
    for (const { done } of this.#queue.splice(0)) done(undefined)
  }

  #stop(): void {
    clearTimeout(this.#timer)
    void this.#worker?.terminate()
    this.#worker = undefined
  }
}

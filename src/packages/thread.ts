import { Worker } from 'node:worker_threads'
import type { AttachedDocument, Compression, LayerFindings, ThreadOrder, ThreadReport } from './package.ts'

/** What could not be read, in words for people. */
export class NotRead extends Error {}

/** Bytes of a layer that come packed. Whoever opened it closes it. */
export interface Content {
  readonly size: number
  read(into: Uint8Array, position: number): Promise<number>
  close(): void
}

export interface ThreadLimits {
  /** How long one layer, or one document, may take, in milliseconds. */
  readonly patience: number
  /** Bytes that a layer may unpack to. */
  readonly unpacked: number
}

/** How large the heap of the thread may be, in MiB: more than what it reads can come to, and a last resort. */
const heap = 512
/** The thread ends when nobody has needed it for so long, in milliseconds. */
const idle = 30_000
const chunkSize = 256 * 1024

/**
 * The thread that reads what comes from elsewhere, one thing after another: callers take turns. Started when it is first
 * needed, ended when it is not, and when it takes too long or too much memory.
 */
export class ReadingThread {
  readonly #limits: ThreadLimits
  #worker: Worker | undefined
  #ending: NodeJS.Timeout | undefined

  constructor(limits: ThreadLimits) {
    this.#limits = limits
  }

  /** Rejects with NotRead. */
  async layer(content: Content, compression: Compression): Promise<LayerFindings> {
    const answer = await this.#ask({ order: 'layer', compression, most: this.#limits.unpacked }, content)
    if (answer.report !== 'layer') throw unexpected()
    return answer.findings
  }

  /** Undefined for what is of no form that is read. Rejects with NotRead. */
  async document(bytes: Uint8Array<ArrayBuffer>): Promise<AttachedDocument | undefined> {
    const answer = await this.#ask({ order: 'document', bytes })
    if (answer.report !== 'document') throw unexpected()
    return answer.document
  }

  stop(): void {
    clearTimeout(this.#ending)
    void this.#worker?.terminate()
    this.#worker = undefined
  }

  async #ask(order: ThreadOrder, content?: Content): Promise<ThreadReport> {
    clearTimeout(this.#ending)
    const worker = (this.#worker ??= this.#start())
    let timer: NodeJS.Timeout | undefined
    let heard = (_: ThreadReport) => {}
    let failed = (_: Error) => {}
    let over = false
    const ended = () => failed(new NotRead('reading it takes more memory than it is worth'))
    try {
      return await new Promise<ThreadReport>((resolve, reject) => {
        failed = reject
        const late = new NotRead(`reading it takes longer than ${this.#limits.patience / 1000} s`)
        timer = setTimeout(reject, this.#limits.patience, late)
        let position = 0
        heard = (report) => {
          if (report.report === 'failed') reject(new NotRead(report.why))
          else if (report.report !== 'more') resolve(report)
          else if (content)
            sendNext(worker, content, { position, over: () => over }).then((sent) => (position += sent), reject)
        }
        worker.on('message', heard).on('error', ended).on('exit', ended)
        worker.postMessage(order)
      })
    } catch (error) {
      // Whatever it is still doing is of no use to anybody.
      this.stop()
      throw error
    } finally {
      over = true
      clearTimeout(timer)
      worker.off('message', heard).off('error', ended).off('exit', ended)
      if (this.#worker) this.#ending = setTimeout(() => this.stop(), idle).unref()
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL('./reading-worker.js', import.meta.url), {
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heap, maxYoungGenerationSizeMb: 16 },
    })
    // One that is ended tells of it where nobody listens any more.
    worker.on('error', () => {
      if (this.#worker === worker) this.#worker = undefined
    })
    worker.unref()
    return worker
  }
}

/** Sends the bytes at a position, or that there are no more; returns how many went. Nothing goes once it is over. */
async function sendNext(
  worker: Worker,
  content: Content,
  { position, over }: { position: number; over: () => boolean },
): Promise<number> {
  const bytes = new Uint8Array(Math.min(chunkSize, content.size - position))
  const length = bytes.length === 0 ? 0 : await content.read(bytes, position)
  // What comes too late would be taken for the next layer's.
  if (over()) return 0
  const order: ThreadOrder = length === 0 ? { order: 'end' } : { order: 'chunk', bytes: bytes.subarray(0, length) }
  worker.postMessage(order, length === 0 ? [] : [bytes.buffer])
  return length
}

const unexpected = (): NotRead => new NotRead('it could not be read')

import { EventEmitter } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** Which of the upstream's servers was asked. */
export type Role = 'registry' | 'cdn' | 'token'

/** One request as it came in, its answer added as that goes out. */
export class Entry {
  status: number | undefined
  sent = 0
  open = true
  part: { digest: string; start: number } | undefined
  readonly role: Role
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders

  constructor(role: Role, request: IncomingMessage) {
    this.role = role
    this.method = request.method ?? ''
    this.url = request.url ?? ''
    this.headers = request.headers
  }

  /** `GET /v2/...` as it came; requests to the other servers begin with `cdn` or `token`. */
  get line(): string {
    return `${this.role === 'registry' ? '' : `${this.role} `}${this.method} ${this.url}`
  }

  /** The same for people: short digests, no signature, and the status (`-` while there is none). */
  get text(): string {
    const line = this.role === 'cdn' ? this.line.replace(/\?.*/, '') : this.line
    return `${shortDigests(line)} ${this.status ?? '-'}`
  }
}

/** `sha256:ab12cd34ef56..`: enough to tell digests apart. */
export function shortDigests(text: string): string {
  return text.replace(/(sha(?:256|512)(?::|%3A))([0-9a-f]{12})[0-9a-f]{52,}/gi, '$1$2..')
}

/** All that the upstream was asked and what it sent, in order of arrival. */
export class Journal {
  readonly entries: Entry[] = []
  readonly #changes = new EventEmitter().setMaxListeners(0)

  arrived(role: Role, request: IncomingMessage): Entry {
    const entry = new Entry(role, request)
    this.entries.push(entry)
    this.changed()
    return entry
  }

  changed(): void {
    this.#changes.emit('change')
  }

  /** Resolves when `check` holds; it is asked again at every change. Rejects after `deadline` milliseconds. */
  async until(check: () => boolean, deadline: number, what: () => string): Promise<void> {
    if (check()) return
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error) => {
        clearTimeout(timer)
        this.#changes.off('change', onChange)
        if (error) reject(error)
        else resolve()
      }
      const onChange = () => check() && settle()
      const timer = setTimeout(() => settle(new Error(`not within ${deadline} ms: ${what()}`)), deadline)
      this.#changes.on('change', onChange)
    })
  }

  /** Which bytes of a content were sent, one interval (end excluded) a response, in order of arrival. */
  served(digest: string): [start: number, end: number][] {
    return this.entries.flatMap(({ part, sent }) =>
      part?.digest === digest && sent > 0 ? [[part.start, part.start + sent]] : [],
    )
  }

  clear(): void {
    this.entries.length = 0
  }
}

/** How many bytes of these intervals are in an earlier one already. */
export function countRepeated(intervals: [start: number, end: number][]): number {
  let repeated = 0
  let reached = 0
  for (const [start, end] of intervals.toSorted(([a], [b]) => a - b)) {
    repeated += Math.max(0, Math.min(end, reached) - start)
    reached = Math.max(reached, end)
  }
  return repeated
}

import { errorAnswer, textAnswer, type Answer, type Headers } from './answer.ts'

/**
 * Something that goes wrong. `on` says where: it is tried on the request line (`GET /v2/library/node/blobs/sha256:...`,
 * `cdn GET /blobs/sha256:...`, `token GET /token?...`); without it every request is meant. `times` says how often (always,
 * without it). The faults of a body happen only to answers that carry content, and count only when they really happened.
 */
export interface Fault {
  on?: RegExp
  times?: number

  /** Breaks the connection after so many bytes of the body. */
  cutAfter?: number
  /** Sends so many bytes of the body, then nothing more, and keeps the connection open. */
  stallAfter?: number
  /** Drips the body. */
  bytesPerSecond?: number
  /** Flips the byte at this offset of the whole content. */
  wrongByte?: number
  /** Sends bytes from so far behind those that the headers name, zeros past the end. */
  shiftBy?: number
  /** Ends the body so many bytes early, cleanly, with a Content-Length to match. */
  shortBy?: number
  /** Adds so many bytes to the body, with a Content-Length to match. */
  longBy?: number

  /** Takes the request and never answers. */
  silent?: true
  /** Breaks the connection instead of answering. */
  reset?: true
  /** Answers this status with an error body. */
  status?: number
  /** With `status`: the body, instead of an error as JSON. */
  body?: string
  /** With `status`. */
  headers?: Headers
}

/** A place in a body where something happens: bytes up to `at` (from the start of this body) are sent before. */
export interface Stop {
  at: number
  /** Resolves to go on; `cut` breaks the connection. */
  then: 'cut' | Promise<void>
}

export interface BodyPlan {
  stops: Stop[]
  bytesPerSecond?: number | undefined
  wrongByte?: number
  shiftBy?: number
  shortBy: number
  longBy: number
}

interface Hold {
  on: RegExp
  after: number | undefined
  released: Promise<void>
}

const never = new Promise<void>(() => {})

interface Active {
  fault: Fault
  left: number
}

/** The faults in force, counting down. */
export class Faults {
  readonly #holds = new Set<Hold>()
  #all: Active[] = []

  set(faults: Fault[] = []): void {
    this.#all = faults.map((fault) => ({ fault, left: fault.times ?? Infinity }))
  }

  /** A stall, before the answer or in its body, that lasts until the test calls the returned function. */
  hold(on: RegExp, after: number | undefined): () => void {
    let release = () => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    const hold = { on, after, released }
    this.#holds.add(hold)
    return () => {
      this.#holds.delete(hold)
      release()
    }
  }

  /** The fault that takes the place of an answer, if there is one. */
  onArrival(line: string): Fault | undefined {
    const [first] = this.#active(line, ({ silent, reset, status }) => Boolean(silent ?? reset ?? status))
    if (first) first.left--
    return first?.fault
  }

  /** The holds before any answer. */
  async waitForHolds(line: string): Promise<void> {
    for (const { on, after, released } of this.#holds) if (after === undefined && on.test(line)) await released
  }

  /** What happens to a body that holds bytes `start` up to `end` of some content; to an empty one nothing does. */
  forBody(line: string, { start, end }: { start: number; end: number }): BodyPlan {
    const plan: BodyPlan = { stops: [], shortBy: 0, longBy: 0 }
    if (start === end) return plan
    const applies = ({ cutAfter, stallAfter, wrongByte, bytesPerSecond, shortBy, longBy, shiftBy }: Fault) =>
      [cutAfter, stallAfter].some((at) => at !== undefined && at < end - start) ||
      (wrongByte !== undefined && wrongByte >= start && wrongByte < end) ||
      [bytesPerSecond, shortBy, longBy, shiftBy].some((value) => value !== undefined)
    for (const active of this.#active(line, applies)) {
      active.left--
      const { fault } = active
      if (fault.cutAfter !== undefined) plan.stops.push({ at: fault.cutAfter, then: 'cut' })
      if (fault.stallAfter !== undefined) plan.stops.push({ at: fault.stallAfter, then: never })
      if (fault.bytesPerSecond !== undefined) plan.bytesPerSecond = fault.bytesPerSecond
      if (fault.wrongByte !== undefined) plan.wrongByte = fault.wrongByte
      if (fault.shiftBy !== undefined) plan.shiftBy = fault.shiftBy
      plan.shortBy += fault.shortBy ?? 0
      plan.longBy += fault.longBy ?? 0
    }
    for (const { on, after, released } of this.#holds) {
      if (after !== undefined && on.test(line)) plan.stops.push({ at: after, then: released })
    }
    plan.stops.sort((a, b) => a.at - b.at)
    return plan
  }

  #active(line: string, applies: (fault: Fault) => boolean): Active[] {
    return this.#all.filter(({ fault, left }) => left > 0 && (fault.on?.test(line) ?? true) && applies(fault))
  }
}

/** The answer of a fault that has a status. */
export function faultAnswer({ status = 500, body, headers = {} }: Fault): Answer {
  return body === undefined
    ? errorAnswer(status, status === 429 ? 'TOOMANYREQUESTS' : 'UNKNOWN', `fault ${status}`, headers)
    : textAnswer(status, body, headers)
}

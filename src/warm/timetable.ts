import type { WarmMetadata, WarmOutcome } from '../metadata/metadata.ts'
import { nextTime } from './schedule.ts'

export interface TimetableOptions {
  lists: readonly { readonly name: string; readonly schedule?: string | undefined }[]
  metadata: WarmMetadata
  /** Begins to fetch a list. */
  due: (name: string) => Promise<unknown>
  failed: (error: Error) => void
  now: () => number
}

/** How often it is looked whether something is due, in milliseconds. */
const look = 1_000
/** What was missed while nothing ran begins within this time after a start, in milliseconds: not all of it at once. */
const spread = 120_000
/** What had to be spared, or could not be begun, is tried again after this, in milliseconds, if it is not due before. */
const pause = 3_600_000

/** When each list is fetched next. What was due while nothing ran, however often, is made up for once. */
export class Timetable {
  readonly #options: TimetableOptions
  readonly #next = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined

  constructor(options: TimetableOptions) {
    this.#options = options
  }

  /** In milliseconds since 1970; undefined for a list without a schedule. */
  next(name: string): number | undefined {
    return this.#next.get(name)
  }

  async start(): Promise<void> {
    const { lists, metadata, now } = this.#options
    for (const { name, schedule } of lists) {
      if (schedule === undefined) continue
      const [last] = await metadata.latest(name, 1)
      // One that was never fetched is wanted now: its content is not here.
      const next = last ? nextTime(schedule, last.startedAt) : now()
      if (next !== undefined) this.#next.set(name, next > now() ? next : now() + Math.random() * spread)
      if (last?.outcome === 'spared') this.#tryAgain(name, last.endedAt!)
    }
    if (this.#next.size > 0) this.#wait()
  }

  /** A run of a list has begun, for whatever reason: what was to be made up for is. */
  begun(name: string): void {
    const schedule = this.#options.lists.find((list) => list.name === name)?.schedule
    if (schedule !== undefined) this.#set(name, nextTime(schedule, this.#options.now()))
  }

  /** A run of a list has ended. */
  ended(name: string, outcome: WarmOutcome): void {
    if (outcome === 'spared') this.#tryAgain(name, this.#options.now())
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }

  #wait(): void {
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look().finally(() => (this.#looking = undefined))
    }, look).unref()
  }

  async #look(): Promise<void> {
    const { lists, due, failed, now } = this.#options
    for (const { name, schedule } of lists) {
      const next = this.#next.get(name)
      if (schedule === undefined || next === undefined || now() < next) continue
      try {
        await due(name)
        this.begun(name)
      } catch (error) {
        failed(error as Error)
        this.#next.set(name, now() + pause)
      }
    }
  }

  #set(name: string, next: number | undefined): void {
    if (next === undefined) this.#next.delete(name)
    else this.#next.set(name, next)
  }

  #tryAgain(name: string, since: number): void {
    const next = this.#next.get(name)
    if (next !== undefined) this.#next.set(name, Math.min(next, since + pause))
  }
}

// What is always to be here: lists of references that are fetched by a schedule, or because somebody says so, before anybody
// waits for them. Through the cached registries, so that all their rules hold; after people's pulls, and on what these leave of
// a pull limit.
import type { Metadata, WarmOrder, WarmRunRecord } from '../metadata/metadata.ts'
import type { Asker, RegistryReader } from '../oci/registry.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { ReportWarmEvent } from './events.ts'
import { Images } from './images.ts'
import type { PlatformRules } from './platforms.ts'
import { readWanted } from './references.ts'
import { Run, type RunParts, type RunState } from './run.ts'
import { Timetable } from './timetable.ts'

export type { WarmEvent } from './events.ts'
export type { PlatformRules } from './platforms.ts'
export type { ReferenceState, RunState } from './run.ts'

export interface WarmList extends WarmOrder {
  readonly name: string
  /** Cron's, in UTC; without one it is fetched by hand. */
  readonly schedule?: string | undefined
}

export interface WarmOptions {
  lists: readonly WarmList[]
  registry: RegistryReader & {
    locate(address: { path: string }): RepositoryName
    isHosted(name: RepositoryName): boolean
  }
  metadata: Metadata
  platformRules: (upstream: string) => PlatformRules
  /** Whether the pulls are nearly spent that an upstream would be asked with. */
  isSparing: (name: RepositoryName, asker: Asker) => boolean
  report: ReportWarmEvent
  /** Something could not be written down. */
  failed: (error: Error) => void
  now: () => number
}

export interface ListState extends WarmList {
  /** When it is fetched next, in milliseconds since 1970. */
  readonly nextAt: number | undefined
  /** The run that goes on, else the last one. */
  readonly run: RunState | undefined
}

export interface Warm {
  /**
   * Goes on with what was broken off, and from now on keeps to schedules and looks for runs that other processes ask for. A run
   * that is begun before is written down alone, for the process that works.
   */
  start(): Promise<void>
  lists(): Promise<ListState[]>
  /** The newest of what somebody named by hand. */
  byHand(limit: number): Promise<RunState[]>
  find(run: number): Promise<RunState | undefined>
  /** Begins to fetch a list, if that is not going on already; undefined where there is none of this name. */
  fetchList(name: string): Promise<RunState | undefined>
  /** Begins to fetch what an order names. Throws NAME_INVALID, TAG_INVALID, DIGEST_INVALID or NAME_UNKNOWN. */
  fetch(order: WarmOrder): Promise<RunState>
  /** Ends a run that goes on; false where it does not. */
  cancel(run: number): boolean
  /** Breaks off what goes on, for the next process to go on with. */
  stop(): Promise<void>
}

/** A run that another process asked for is begun within so many milliseconds. */
const seenWithin = 1_000

export function openWarm(options: WarmOptions): Warm {
  return new Warming(options)
}

class Warming implements Warm {
  readonly #options: WarmOptions
  readonly #parts: RunParts
  readonly #timetable: Timetable
  readonly #running = new Map<number, { run: Run; over: Promise<void> }>()
  /** Begun for lists of these names, one after another of each. */
  readonly #beginning = new Map<string, Promise<RunState>>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #isWorking = false

  constructor(options: WarmOptions) {
    const { lists, registry, metadata, failed, now } = options
    this.#options = options
    this.#parts = {
      ...options,
      images: new Images({ ...options, browsing: metadata.browsing }),
      locate: (path) => registry.locate({ path }),
      isHosted: (name) => registry.isHosted(name),
    }
    const due = (name: string) => this.fetchList(name)
    this.#timetable = new Timetable({ lists, metadata: metadata.warm, due, failed, now })
  }

  async start(): Promise<void> {
    const { lists, failed } = this.#options
    this.#isWorking = true
    await this.#takeUp()
    await this.#timetable.start()
    // Other processes ask for lists alone.
    if (lists.length === 0) return
    this.#timer = setInterval(() => {
      this.#looking ??= this.#takeUp()
        .catch(failed)
        .finally(() => (this.#looking = undefined))
    }, seenWithin).unref()
  }

  /** Runs that are written down and that nobody works on: broken off by a stop, or asked for by `berth warm`. */
  async #takeUp(): Promise<void> {
    const { metadata, lists, now } = this.#options
    for (const record of await metadata.warm.unfinished()) {
      // A list that is configured no more is not to be here any longer.
      if (record.list === undefined || lists.some(({ name }) => name === record.list)) this.#go(record)
      else await metadata.warm.end(record.id, 'stopped', now())
    }
  }

  lists(): Promise<ListState[]> {
    return Promise.all(
      this.#options.lists.map(async (list) => ({
        ...list,
        nextAt: this.#timetable.next(list.name),
        run: this.#runOf(list.name)?.state ?? (await this.#latest(list.name, 1))[0],
      })),
    )
  }

  byHand(limit: number): Promise<RunState[]> {
    return this.#latest(undefined, limit)
  }

  async find(id: number): Promise<RunState | undefined> {
    const record = await this.#options.metadata.warm.find(id)
    return record && this.#stateOf(record)
  }

  async fetchList(name: string): Promise<RunState | undefined> {
    const list = this.#options.lists.find((each) => each.name === name)
    if (!list) return undefined
    const running = this.#runOf(name)
    if (running) return running.state
    const noted = this.#isWorking ? undefined : await this.#noted(name)
    if (noted) return this.#stateOf(noted)
    const { references, limit, order, platforms } = list
    const beginning = this.#beginning.get(name) ?? this.#begin(name, { references, limit, order, platforms })
    this.#beginning.set(name, beginning)
    return beginning.finally(() => this.#beginning.delete(name))
  }

  async fetch(order: WarmOrder): Promise<RunState> {
    for (const text of order.references) for (const { path } of readWanted(text)) this.#parts.locate(path)
    return this.#begin(undefined, order)
  }

  cancel(id: number): boolean {
    const found = this.#running.get(id)
    found?.run.cancel()
    return found !== undefined
  }

  async stop(): Promise<void> {
    this.#isWorking = false
    clearInterval(this.#timer)
    await this.#looking
    await this.#timetable.stop()
    for (const { run } of this.#running.values()) run.halt()
    await Promise.all([...this.#running.values()].map(({ over }) => over))
  }

  /** A run of a list that another process is to work on. */
  async #noted(list: string): Promise<WarmRunRecord | undefined> {
    return (await this.#options.metadata.warm.unfinished()).find((run) => run.list === list)
  }

  async #begin(list: string | undefined, order: WarmOrder): Promise<RunState> {
    const { metadata, now } = this.#options
    const started = { list, order, startedAt: now() }
    const id = await metadata.warm.begin(started)
    if (list !== undefined) this.#timetable.begun(list)
    return this.#go({ id, ...started, endedAt: undefined, outcome: undefined })
  }

  #go(record: WarmRunRecord): RunState {
    // What this process has just written down may have been found before it got here.
    const known = this.#running.get(record.id)
    if (known) return known.run.state
    const run = new Run(record, this.#parts)
    // What is begun before the start, and while everything stops, is there for another process.
    if (this.#isWorking) this.#running.set(record.id, { run, over: this.#work(run) })
    return run.state
  }

  async #work(run: Run): Promise<void> {
    const { metadata, report, failed, now } = this.#options
    const { id, list } = run.record
    report({ type: 'warm-run-started', list, run: id })
    try {
      const outcome = await run.work()
      if (outcome === undefined) return
      await metadata.warm.end(id, outcome, now())
      const { references, bytes } = run.state
      const wanting = references.filter((each) => each.outcome !== 'ok').length
      report({ type: 'warm-run-ended', list, run: id, outcome, references: references.length, wanting, bytes })
      if (list !== undefined) this.#timetable.ended(list, outcome)
    } catch (error) {
      failed(error as Error)
    } finally {
      this.#running.delete(id)
    }
  }

  #runOf(list: string): Run | undefined {
    return [...this.#running.values()].find(({ run }) => run.record.list === list)?.run
  }

  async #latest(list: string | undefined, limit: number): Promise<RunState[]> {
    const records = await this.#options.metadata.warm.latest(list, limit)
    return Promise.all(records.map((record) => this.#stateOf(record)))
  }

  async #stateOf(record: WarmRunRecord): Promise<RunState> {
    const running = this.#running.get(record.id)
    if (running) return running.run.state
    const references = await this.#options.metadata.warm.results(record.id)
    return { ...record, references, bytes: references.reduce((sum, { bytes }) => sum + bytes, 0) }
  }
}

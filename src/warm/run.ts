import type { Metadata, WarmOrder, WarmOutcome, WarmResult, WarmRunRecord } from '../metadata/metadata.ts'
import { RegistryError } from '../oci/errors.ts'
import { isTag, upstreamOf, type Reference, type RepositoryName, type Tag } from '../oci/reference.ts'
import type { ReportWarmEvent } from './events.ts'
import { Spared, wordsOf, type Images } from './images.ts'
import { platformChooser, type PlatformRules } from './platforms.ts'
import { chooseTags, readWanted, type Wanted } from './references.ts'

/** How one reference does. */
export interface ReferenceState extends Omit<WarmResult, 'outcome' | 'at'> {
  readonly outcome: WarmResult['outcome'] | 'waiting' | 'running'
  /** Milliseconds since 1970; undefined until it is done. */
  readonly at: number | undefined
}

/** How a run does. Times are in milliseconds since 1970. */
export interface RunState extends WarmRunRecord {
  readonly references: readonly ReferenceState[]
  /** Of blobs that were not here before. */
  readonly bytes: number
}

export interface RunParts {
  images: Images
  metadata: Metadata
  /** The one name of what somebody wrote. Throws NAME_INVALID or NAME_UNKNOWN. */
  locate: (path: string) => RepositoryName
  isHosted: (name: RepositoryName) => boolean
  platformRules: (upstream: string) => PlatformRules
  report: ReportWarmEvent
  /** Something could not be written down. */
  failed: (error: Error) => void
  now: () => number
}

/** Tags of a pattern that were pulled here are looked through up to this many. */
const mostTags = 10_000

interface Target {
  readonly name: RepositoryName
  readonly reference: Reference
}

/** One run: references of an order, one after another. What it has done stays done over a restart. */
export class Run {
  readonly record: WarmRunRecord
  readonly #parts: RunParts
  readonly #states = new Map<string, ReferenceState>()
  readonly #stopping = new AbortController()
  #isCancelled = false

  constructor(record: WarmRunRecord, parts: RunParts) {
    this.record = record
    this.#parts = parts
  }

  get state(): RunState {
    const references = [...this.#states.values()]
    return { ...this.record, references, bytes: references.reduce((sum, { bytes }) => sum + bytes, 0) }
  }

  /** Ends the run for good. */
  cancel(): void {
    this.#isCancelled = true
    this.#stopping.abort()
  }

  /** Leaves the rest to the next process. */
  halt(): void {
    this.#stopping.abort()
  }

  /** Resolves when it is over, with how it went; with undefined when the rest is left to the next process. */
  async work(): Promise<WarmOutcome | undefined> {
    for (const done of await this.#parts.metadata.warm.results(this.record.id)) this.#states.set(done.reference, done)
    const targets = await this.#targets(this.record.order)
    for (const [text, target] of targets) {
      if (this.#stopping.signal.aborted) break
      const isOver = this.#stopping.signal.aborted || isDone(this.#states.get(text))
      if (!isOver) await this.#fetch(text, target)
    }
    if (this.#isCancelled) return 'stopped'
    if (this.#stopping.signal.aborted) return undefined
    const outcomes = [...this.#states.values()].map(({ outcome }) => outcome)
    return outcomes.includes('failed') ? 'failed' : outcomes.includes('spared') ? 'spared' : 'ok'
  }

  /** All that is to be fetched, each by its one name. */
  async #targets({ references, limit, order }: WarmOrder): Promise<Map<string, Target>> {
    const targets = new Map<string, Target>()
    for (const text of references) {
      if (this.#stopping.signal.aborted) break
      await this.#unlessWrong(text, async () => {
        for (const wanted of readWanted(text)) {
          const { path, pattern } = wanted
          await this.#unlessWrong(pattern === undefined ? text : `${path}:${pattern}`, async () => {
            for (const target of await this.#targetsOf(wanted, limit, order)) targets.set(textOf(target), target)
          })
        }
      })
    }
    for (const text of targets.keys()) if (!this.#states.has(text)) this.#states.set(text, waiting(text, 'waiting'))
    return targets
  }

  /** What makes no sense, or leads nowhere, is done with that. */
  async #unlessWrong(text: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!isDone(this.#states.get(text))) await this.#done(text, error as Error)
    }
  }

  async #targetsOf({ path, reference, pattern }: Wanted, limit: number, order: WarmOrder['order']): Promise<Target[]> {
    const { locate, isHosted } = this.#parts
    const name = locate(path)
    if (isHosted(name)) throw new RegistryError('UNSUPPORTED', `${name} is hosted here: all of it is here already`)
    if (reference !== undefined) return [{ name, reference }]
    const tags = chooseTags(await this.#tags(name, order), { pattern: pattern!, limit, order })
    if (tags.length > 0) return tags.map((tag) => ({ name, reference: tag }))
    const among = order === 'pulls' ? 'that was pulled here ' : ''
    throw new RegistryError('MANIFEST_UNKNOWN', `no tag of ${name} ${among}fits ${pattern}`)
  }

  /** In the order in which they are preferred, where that is not by version. */
  async #tags(name: RepositoryName, order: WarmOrder['order']): Promise<readonly Tag[]> {
    const { images, metadata } = this.#parts
    if (order === 'version') return (await images.listTags(name, this.#stopping.signal)).tags
    const search = { text: '', order: 'pulls', descending: true, limit: mostTags, offset: 0 } as const
    const { tags } = await metadata.browsing.listTags(name, search)
    return tags.filter(({ pulls }) => pulls > 0).map(({ tag }) => tag)
  }

  async #fetch(text: string, { name, reference }: Target): Promise<void> {
    const { images, platformRules } = this.#parts
    let bytes = 0
    const tell = () => this.#states.set(text, { ...waiting(text, 'running'), bytes })
    tell()
    const arrived = (count: number) => {
      bytes += count
      tell()
    }
    const wants = platformChooser(this.record.order.platforms, platformRules(upstreamOf(name)))
    try {
      const problems = await images.fetch({ name, reference, wants, arrived, stop: this.#stopping.signal })
      await this.#done(text, problems.find((problem) => !(problem instanceof Spared)) ?? problems[0], bytes)
    } catch (error) {
      if (!this.#stopping.signal.aborted) return this.#done(text, error as Error, bytes)
      this.#states.set(text, { ...waiting(text, 'waiting'), bytes })
    }
  }

  async #done(reference: string, problem: Error | undefined, bytes = 0): Promise<void> {
    const { metadata, report, failed, now } = this.#parts
    const outcome = problem === undefined ? 'ok' : problem instanceof Spared ? 'spared' : 'failed'
    const result = { reference, outcome, message: problem && wordsOf(problem), bytes, at: now() } as const
    this.#states.set(reference, result)
    report({ type: 'warm-reference', list: this.record.list, ...result })
    await metadata.warm.putResult(this.record.id, result).catch(failed)
  }
}

const isDone = (state: ReferenceState | undefined): boolean => state?.at !== undefined

const waiting = (reference: string, outcome: 'waiting' | 'running'): ReferenceState => {
  return { reference, outcome, message: undefined, bytes: 0, at: undefined }
}

const textOf = ({ name, reference }: Target): string => `${name}${isTag(reference) ? ':' : '@'}${reference}`

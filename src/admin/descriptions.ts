import { createHash } from 'node:crypto'
import { RegistryError } from '../oci/errors.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { RegistryReader } from '../oci/registry.ts'
import type { ListedTag, Metadata, WrittenDescription } from '../metadata/metadata.ts'
import { largestReadme, nothingSaid, SelfDescriptions, type SelfDescription } from './self-description.ts'
import type { Guard, Visitor } from './visitor.ts'

/** Where a text comes from: it was written here, or the image says it of itself. */
type Source = 'here' | 'image'

/** What a repository is. Texts are empty where nobody says anything; all of them are untrusted. */
export interface Description {
  readonly short: string
  readonly shortFrom: Source | undefined
  /** Markdown. */
  readonly readme: string
  readonly readmeFrom: Source | undefined
  /** Bytes of an image's README that is too large to be shown. */
  readonly leftOut: number | undefined
  /** The tag whose image stands for the repository. */
  readonly tag: Tag | undefined
  /** Who wrote what is from here, and when, in milliseconds since 1970. */
  readonly writtenBy: string | undefined
  readonly writtenAt: number | undefined
  /** Another one after each change, of whatever kind: whoever changes a description says which one they saw. */
  readonly version: string
}

/** An empty text is the image's word again; one that is left out stays as it is. */
export interface DescriptionChange {
  readonly short?: string | undefined
  readonly readme?: string | undefined
  /** What was seen before; without it, whatever is there is overwritten. */
  readonly version?: string | undefined
}

export interface DescriptionsOptions {
  registry: RegistryReader
  metadata: Metadata
  guard: Guard
  now: () => number
}

/** Characters of a short description. */
export const longestShort = 300
/** How many images are read for their lines before one list is shown. */
const readAtOnce = 50

const nothingWritten: WrittenDescription = { short: '', readme: '', revision: 0, by: undefined, at: 0 }

/** What repositories are, in their image's words or in those of whoever wrote them here. */
export class Descriptions {
  readonly #options: DescriptionsOptions
  readonly #images: SelfDescriptions
  #reading: Promise<void> | undefined

  constructor(options: DescriptionsOptions) {
    this.#options = options
    this.#images = new SelfDescriptions(options.registry, options.metadata)
  }

  /** Throws NAME_UNKNOWN where nothing of it is here. */
  async get(visitor: Visitor, name: RepositoryName): Promise<Description> {
    const { guard, metadata } = this.#options
    await guard.expectReadable(visitor, name)
    if (!(await metadata.browsing.findRepository(name))) throw nothingOf(name)
    return this.of(name, await metadata.browsing.findMainTag(name))
  }

  /** For who has asked the guard; `main` is the tag that stands for the repository. */
  async of(name: RepositoryName, main: ListedTag | undefined): Promise<Description> {
    return (await this.#find(name, main)).description
  }

  /**
   * For who may push. Throws what `get` throws, UNSUPPORTED with status 409 where it has changed since the version that was
   * seen, and SIZE_INVALID for a text that is too long.
   */
  async change(visitor: Visitor, name: RepositoryName, change: DescriptionChange): Promise<Description> {
    const { guard, metadata, now } = this.#options
    await guard.expectReadable(visitor, name)
    await guard.expect(visitor, 'push', name)
    if (!(await metadata.browsing.findRepository(name))) throw nothingOf(name)
    const main = await metadata.browsing.findMainTag(name)
    const { description: before, written } = await this.#find(name, main)
    const asked = readChange(change)
    if (change.version !== undefined && change.version !== before.version) throw changedMeanwhile(name)
    const next = {
      short: settled(asked.short, { now: before.short, from: before.shortFrom, written: written.short }),
      readme: settled(asked.readme, { now: before.readme, from: before.readmeFrom, written: written.readme }),
    }
    const changed = (['short', 'readme'] as const).filter((part) => next[part] !== written[part])
    if (changed.length === 0) return before
    const by = { by: visitor.identity.user, at: now() }
    if (!(await metadata.descriptions.put(name, { ...next, ...by }, written.revision))) throw changedMeanwhile(name)
    const parts = changed.map((part) => `${part}${next[part] === '' ? ' as the image says' : ''}`)
    guard.done(visitor, 'description changed', name, parts.join(', '))
    return this.of(name, main)
  }

  /** Reads the lines of images whose tags have changed, for lists and searches that are about to be shown. */
  catchUp(): Promise<void> {
    this.#reading ??= this.#readLines().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  async #readLines(): Promise<void> {
    const { browsing, descriptions } = this.#options.metadata
    for (const name of await descriptions.listUnread(readAtOnce)) {
      const main = await browsing.findMainTag(name)
      const { short, whole } = main ? await this.#images.of(name, main.digest) : nothingSaid
      // Where the database is busy, the next list finds it still to be read.
      await descriptions.read(name, { line: oneLine(short), whole }).catch(() => {})
    }
  }

  async #find(
    name: RepositoryName,
    main: ListedTag | undefined,
  ): Promise<{ description: Description; written: WrittenDescription }> {
    const { descriptions } = this.#options.metadata
    const image = main ? await this.#images.of(name, main.digest) : nothingSaid
    const written = (await descriptions.find(name)) ?? nothingWritten
    return { description: describe(image, written, main?.tag), written }
  }
}

function describe(image: SelfDescription, written: WrittenDescription, tag: Tag | undefined): Description {
  const from = (part: 'short' | 'readme') => (written[part] ? 'here' : image[part] ? 'image' : undefined)
  const isWritten = written.short !== '' || written.readme !== ''
  const seen = createHash('sha256')
    .update(JSON.stringify([image.short, image.readme]))
    .digest('hex')
  return {
    short: written.short || image.short,
    shortFrom: from('short'),
    readme: written.readme || image.readme,
    readmeFrom: from('readme'),
    leftOut: written.readme === '' ? image.leftOut : undefined,
    tag,
    writtenBy: isWritten ? written.by : undefined,
    writtenAt: isWritten ? written.at : undefined,
    version: `${written.revision}-${seen.slice(0, 16)}`,
  }
}

/** What is kept of a text: nothing of one that is as the image says, so that it goes on as the image goes on. */
function settled(asked: string | undefined, is: { now: string; from: Source | undefined; written: string }): string {
  if (asked === undefined) return is.written
  const same = is.from === 'image' && (asked === is.now || asked === oneLine(is.now))
  return same ? '' : asked
}

/** A text in one line, as lists and fields show it. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, longestShort)
}

/** Texts as they are kept. */
function readChange({ short, readme }: DescriptionChange): { short: string | undefined; readme: string | undefined } {
  const line = short?.trim()
  if (line !== undefined && (line.length > longestShort || /[\r\n]/.test(line))) {
    const seen = line.length > longestShort ? `${line.length} characters` : 'more than one'
    throw new RegistryError(
      'SIZE_INVALID',
      `a short description must be one line of up to ${longestShort} characters, saw ${seen}`,
    )
  }
  // Browsers send forms with line ends of two characters.
  const text = readme?.replace(/\r\n?/g, '\n').trim()
  const size = Buffer.byteLength(text ?? '')
  if (size > largestReadme) {
    throw new RegistryError('SIZE_INVALID', `a README must have at most ${largestReadme} bytes, saw ${size}`)
  }
  return { short: line, readme: text }
}

/** For what is not here, so that nothing can be said of it. */
export function nothingOf(name: RepositoryName): RegistryError {
  return new RegistryError('NAME_UNKNOWN', `nothing of ${name} is here yet`)
}

function changedMeanwhile(name: RepositoryName): RegistryError {
  const message = `the description of ${name} has changed since you read it, and is left as it is: read it again`
  return new RegistryError('UNSUPPORTED', message, { status: 409 })
}

import { Buffers } from '../oci/buffers.js'
import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError, UpstreamError } from '../oci/errors.ts'
import { Lanes } from '../oci/lanes.ts'
import { blobsOf, readManifest } from '../oci/manifest.ts'
import { isTag, upstreamOf, type Reference, type RepositoryName } from '../oci/reference.ts'
import type { Asker, Manifest, RegistryReader, Soon, TagPage } from '../oci/registry.ts'
import { Turns } from '../oci/turns.ts'
import type { Browsing } from '../metadata/metadata.ts'

/** Blobs that are fetched at once, whatever number of runs there are: a large one has several connections of its own. */
const blobsAtOnce = 3
/** An index that leads to more manifests is followed no further. */
const mostManifests = 500

/** Pulls are spent on behalf of `warm`; what an upstream shows to our credentials alone is fetched, and stays for those who may see it. */
const asker: Asker = { caller: 'warm', noCache: false, mayReadPrivate: 'granted', background: true }

/** Of what is left of a pull limit nothing is spent on what nobody waits for. */
export class Spared extends Error {}

export interface ImagesOptions {
  registry: RegistryReader
  browsing: Browsing
  /** Whether the pulls are nearly spent that an upstream would be asked with. */
  isSparing: (name: RepositoryName, asker: Asker) => boolean
}

/** What is fetched, and who wants to know. */
export interface Errand {
  readonly name: RepositoryName
  readonly reference: Reference
  /** Which children of an index are wanted. */
  readonly wants: (child: Descriptor) => boolean
  /** Called with each piece of a blob that was not here. */
  readonly arrived: (bytes: number) => void
  readonly stop: AbortSignal
}

/** Whole images: the manifests that a reference leads to, their configs and their layers. */
export class Images {
  readonly #options: ImagesOptions
  /** One manifest after another of each upstream, so that the last one's answer tells whether there is a pull for the next. */
  readonly #turns = new Turns()
  readonly #lanes = new Lanes(blobsAtOnce)
  readonly #buffers = new Buffers(512 * 1024, blobsAtOnce)

  constructor(options: ImagesOptions) {
    this.#options = options
  }

  listTags(name: RepositoryName, stop: AbortSignal): Promise<TagPage> {
    return unlessStopped(stop, this.#options.registry.listTags(name, {}, asker))
  }

  /** Fetches what is not here. Resolves with what was in the way of any of it; rejects when it is stopped. */
  async fetch(errand: Errand): Promise<Error[]> {
    const problems: Error[] = []
    const blobs = new Map<Digest, Descriptor>()
    await this.#follow(errand, errand.reference, { blobs, problems, seen: new Set() })
    const fetched = [...blobs.values()].map((blob) => this.#lanes.use(() => this.#fetchBlob(errand, blob)))
    for (const result of await Promise.allSettled(fetched))
      if (result.status === 'rejected') problems.push(result.reason as Error)
    errand.stop.throwIfAborted()
    return problems
  }

  /** A child that cannot be had does not keep the others away. */
  async #follow(errand: Errand, reference: Reference, found: Found): Promise<void> {
    if (found.seen.has(reference)) return
    if (found.seen.size >= mostManifests) {
      const message = `${errand.name} leads to more than ${mostManifests} manifests`
      found.problems.push(new RegistryError('MANIFEST_INVALID', message))
      return
    }
    found.seen.add(reference)
    try {
      const manifest = await this.#manifest(errand, reference)
      if (manifest.stale) found.problems.push(outOfDate(manifest.stale.reason))
      const content = readManifest(manifest.bytes)
      for (const blob of blobsOf(content)) found.blobs.set(blob.digest, blob)
      for (const child of content.manifests.filter(errand.wants)) {
        // BuildKit's cache lists layers as if they were manifests.
        if (child.mediaType.includes('manifest') || child.mediaType.includes('index'))
          await this.#follow(errand, child.digest, found)
        else found.blobs.set(child.digest, child)
      }
    } catch (error) {
      errand.stop.throwIfAborted()
      found.problems.push(error as Error)
    }
  }

  #manifest({ name, stop }: Errand, reference: Reference): Promise<Manifest> {
    const { registry, isSparing } = this.#options
    const upstream = upstreamOf(name)
    return this.#turns.take(upstream, async () => {
      stop.throwIfAborted()
      if (isSparing(name, asker) && !(await this.#isHere(name, reference))) throw new Spared(spared(upstream))
      try {
        return await unlessStopped(stop, registry.getManifest(name, reference, asker))
      } catch (error) {
        const isRefused = error instanceof UpstreamError && error.failure === 'rate-limited'
        throw isRefused ? new Spared(error.message, { cause: error }) : error
      }
    })
  }

  async #isHere(name: RepositoryName, reference: Reference): Promise<boolean> {
    const { browsing } = this.#options
    const digest = isTag(reference) ? (await browsing.findTag(name, reference))?.digest : reference
    return digest !== undefined && (await browsing.findManifest(name, digest)) !== undefined
  }

  async #fetchBlob({ name, arrived, stop }: Errand, { digest }: Descriptor): Promise<void> {
    stop.throwIfAborted()
    const opened = this.#options.registry.getBlob(name, digest, undefined, asker)
    const blob = await unlessStopped(stop, opened, (late) => late.close())
    const close = () => blob.close()
    const buffer = this.#buffers.take()
    stop.addEventListener('abort', close, { once: true })
    try {
      while (!blob.isKept) {
        stop.throwIfAborted()
        const got = await blob.read(buffer)
        if (got === 0) return
        arrived(got)
      }
    } finally {
      stop.removeEventListener('abort', close)
      close()
      this.#buffers.give(buffer)
    }
  }
}

interface Found {
  readonly blobs: Map<Digest, Descriptor>
  readonly problems: Error[]
  readonly seen: Set<Reference>
}

/** What `work` brings; rejects as soon as it is stopped. What comes later is let go. */
async function unlessStopped<T>(stop: AbortSignal, work: Soon<T>, letGo: (late: T) => void = () => {}): Promise<T> {
  const working = Promise.resolve(work)
  let hear = () => {}
  const stopped = new Promise<never>((_, reject) => {
    hear = () => {
      working.then(letGo, () => {})
      reject(stop.reason as Error)
    }
    stop.addEventListener('abort', hear, { once: true })
  })
  try {
    return await Promise.race([working, stopped])
  } finally {
    stop.removeEventListener('abort', hear)
  }
}

const outOfDate = (reason: string) => new RegistryError('UNAVAILABLE', `it may be out of date: ${reason}`)

const spared = (upstream: string): string =>
  `${upstream} has no pulls to spare: the few that are left (reserve) are for people`

/** What people are told of an error; one that is not ours says what it is. */
export function wordsOf(error: Error): string {
  return error instanceof RegistryError || error instanceof Spared ? error.message : `${error.name}: ${error.message}`
}

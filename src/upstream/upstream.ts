// A registry elsewhere, read over HTTP. Keeps nothing but tokens; what it fetches is the cache's to keep.
import { digestOf, isDigest, quote, algorithmOf, hexOf, type Digest } from '../oci/digest.ts'
import type { Descriptor } from '../oci/descriptor.ts'
import { RegistryError, UpstreamError, isAbsence, unlessAbsent, type ErrorCode } from '../oci/errors.ts'
import { maxManifestSize, mediaTypeOf, readManifest } from '../oci/manifest.ts'
import { acceptManifests, essence, isManifestType, isSchema1, ociIndex } from '../oci/media-types.ts'
import { parseContentRange, type ByteRange } from '../oci/range.ts'
import { isTag, parseTag, type Reference, type RepositoryName, type Tag } from '../oci/reference.ts'
import type {
  Asker,
  Blob,
  BlobHead,
  Manifest,
  ManifestHead,
  Referrers,
  RegistrySource,
  TagPage,
  TagQuery,
} from '../oci/registry.ts'
import { UpstreamBlob } from './blob.ts'
import { UpstreamClient, type UpstreamOptions } from './client.ts'
import { pagesOf } from './pages.ts'
import { statusFailure } from './retry.ts'
import { SignedUrls } from './signed-urls.ts'
import type { Answer } from './transport.ts'

export type { AccountOptions, UpstreamOptions } from './client.ts'
export { loginSource, type Login } from './logins/login.ts'
export type { UpstreamEvent } from './events.ts'
export { chunkCollector } from './chunk-garbage.js'
export { publicLookup } from './inner.js'
export { openNetwork, type Network } from './network.ts'
export { fetcher, jsonGetter } from './small-answers.ts'
export { poster } from './post.ts'

/** A reader of one upstream registry. Options hold what the operator configured; `network` is shared by all upstreams. */
export function upstreamRegistry(options: UpstreamOptions): RegistrySource {
  return new UpstreamRegistry(new UpstreamClient(options), options.now ?? Date.now)
}

class UpstreamRegistry implements RegistrySource {
  readonly #client: UpstreamClient
  readonly #signed: SignedUrls

  constructor(client: UpstreamClient, now: () => number) {
    this.#client = client
    this.#signed = new SignedUrls(now)
  }

  isSparing(name: RepositoryName, asker?: Asker): boolean {
    return this.#client.isSparing(name, asker?.caller)
  }

  async getManifest(name: RepositoryName, reference: Reference, asker?: Asker): Promise<Manifest> {
    const what = `manifest ${name}:${reference}`
    const answer = await this.#ask('GET', name, `manifests/${reference}`, asker, { accept: acceptManifests })
    this.#expectFound(answer, what, 'MANIFEST_UNKNOWN')
    const bytes = await answer.bytes(maxManifestSize).catch((error: unknown) => {
      throw this.#client.brokenOff(error, answer)
    })
    const claimed = isTag(reference) ? digestIn(answer) : reference
    return this.#checkedManifest(what, bytes, essence(answer.header('content-type')), claimed)
  }

  async headManifest(name: RepositoryName, reference: Reference, asker?: Asker): Promise<ManifestHead | Manifest> {
    const answer = await this.#ask('HEAD', name, `manifests/${reference}`, asker, { accept: acceptManifests })
    answer.drop()
    const digest = digestIn(answer) ?? (isTag(reference) ? undefined : reference)
    const size = lengthOf(answer)
    const mediaType = essence(answer.header('content-type'))
    // Some registries know no HEAD of a manifest (405), refuse it (401, 403), or leave out what it is for.
    const complete = answer.status === 200 && digest !== undefined && size && mediaType
    const refused = [400, 401, 403, 405, 501].includes(answer.status)
    if (refused || (answer.status < 300 && !complete)) return this.getManifest(name, reference, asker)
    this.#expectFound(answer, `manifest ${name}:${reference}`, 'MANIFEST_UNKNOWN')
    return { digest: digest as Digest, mediaType, size: size! }
  }

  async getBlob(name: RepositoryName, digest: Digest, range?: ByteRange, asker?: Asker): Promise<Blob> {
    const headers = range && { range: `bytes=${range.start}-${range.end === Infinity ? '' : range.end - 1}` }
    const answer = await this.#askBlob(name, digest, headers, asker)
    if (answer.status !== 206) this.#expectFound(answer, `blob ${name}@${digest}`, 'BLOB_UNKNOWN')
    // A host that breaks off is not asked again: the registry may name another.
    const broken = () => this.#signed.forget(name, digest)
    if (answer.status === 206) return this.#part(answer, digest, range, broken)
    const size = lengthOf(answer)
    const head = size === undefined ? { digest } : { digest, size, range: { start: 0, end: size } }
    return new UpstreamBlob(this.#client, answer, head, broken)
  }

  async headBlob(name: RepositoryName, digest: Digest, asker?: Asker): Promise<BlobHead> {
    const answer = await this.#ask('HEAD', name, `blobs/${digest}`, asker)
    answer.drop()
    // ECR Public answers 401, and CDNs 403 to a HEAD of a URL signed for GET, although the blob is there.
    if ([400, 401, 403, 405, 501].includes(answer.status)) return this.#probeBlob(name, digest, asker)
    this.#expectFound(answer, `blob ${name}@${digest}`, 'BLOB_UNKNOWN')
    return { digest, size: lengthOf(answer) }
  }

  /** All of them, in lexical order, however many pages the upstream makes of it; with `n`, only its first page. */
  async listTags(name: RepositoryName, { n }: TagQuery = {}, asker?: Asker): Promise<TagPage> {
    const tags = new Set<Tag>()
    for await (const page of this.#pages(name, `tags/list?n=${n ?? 1000}`, 'NAME_UNKNOWN', asker)) {
      const listed = (page as { tags?: unknown }).tags
      for (const tag of Array.isArray(listed) ? listed : []) if (typeof tag === 'string') addTag(tags, tag)
      if (n !== undefined) break
    }
    return { tags: [...tags].sort(), more: false }
  }

  async listReferrers(name: RepositoryName, digest: Digest, asker?: Asker): Promise<Referrers> {
    const descriptors: Descriptor[] = []
    try {
      for await (const page of this.#pages(name, `referrers/${digest}`, 'MANIFEST_UNKNOWN', asker)) {
        descriptors.push(...this.#descriptorsIn(() => Buffer.from(JSON.stringify(page))))
      }
      return { descriptors }
    } catch (error) {
      if (!isAbsence(error)) throw error
    }
    return this.#referrersByTag(name, digest, asker)
  }

  /** The referrers tag schema (distribution-spec, "Referrers Tag Schema"), for registries without the API. */
  async #referrersByTag(name: RepositoryName, digest: Digest, asker?: Asker): Promise<Referrers> {
    const tag = parseTag(`${algorithmOf(digest)}-${hexOf(digest).slice(0, 64)}`)
    const index = await unlessAbsent(() => this.getManifest(name, tag, asker))
    return { descriptors: index ? this.#descriptorsIn(() => index.bytes) : [] }
  }

  /** What is no index, or is nested so deeply that it cannot even be written out, is a bad answer. */
  #descriptorsIn(index: () => Uint8Array): Descriptor[] {
    try {
      return readManifest(index()).manifests
    } catch (cause) {
      throw new UpstreamError('bad-answer', `upstream ${this.#client.name} sent referrers that are no index`, { cause })
    }
  }

  #part(answer: Answer, digest: Digest, range: ByteRange | undefined, broken: () => void): Blob {
    const sent = parseContentRange(answer.header('content-range') ?? '')
    if (!range || sent?.range?.start !== range.start || sent.range.end > range.end) {
      answer.drop()
      const seen = quote(answer.header('content-range') ?? 'none')
      throw new UpstreamError(
        'bad-answer',
        `upstream ${this.#client.name}: 206 must have the range asked for, saw ${seen}`,
      )
    }
    const size = sent.size === undefined ? {} : { size: sent.size }
    return new UpstreamBlob(this.#client, answer, { digest, range: sent.range, ...size }, broken)
  }

  /** The size of a blob whose HEAD is refused: one byte of it, asked by GET. One without bytes is answered 416. */
  async #probeBlob(name: RepositoryName, digest: Digest, asker?: Asker): Promise<BlobHead> {
    const answer = await this.#askBlob(name, digest, { range: 'bytes=0-0' }, asker)
    answer.drop()
    const ranged = parseContentRange(answer.header('content-range') ?? '')
    if (answer.status === 416 && ranged?.size === 0) return { digest, size: 0 }
    if (answer.status === 206) return { digest, size: ranged?.size }
    this.#expectFound(answer, `blob ${name}@${digest}`, 'BLOB_UNKNOWN')
    return { digest, size: lengthOf(answer) }
  }

  async #askBlob(
    name: RepositoryName,
    digest: Digest,
    headers: Record<string, string> = {},
    asker?: Asker,
  ): Promise<Answer> {
    const question = { method: 'GET' as const, repository: name, caller: asker?.caller, headers, large: true }
    const known = this.#signed.find(name, digest)
    if (known) {
      const answer = await this.#client.ask({ ...question, target: known }).catch((error: unknown) => {
        this.#signed.forget(name, digest)
        throw error
      })
      if (answer.status < 400) return answer
      answer.drop()
      this.#signed.forget(name, digest)
    }
    const asked = this.#client.urlOf(`${name}/blobs/${digest}`)
    const answer = await this.#client.ask({ ...question, target: asked })
    if (answer.status < 300 && answer.url.href !== asked.href) this.#signed.keep(name, digest, answer.url)
    return answer
  }

  #ask(
    method: 'GET' | 'HEAD',
    name: RepositoryName,
    path: string,
    asker?: Asker,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const target = this.#client.urlOf(`${name}/${path}`)
    const lane = !path.startsWith('manifests/') ? 'other' : method === 'GET' ? 'pull' : 'head'
    return this.#client.ask({ method, target, repository: name, caller: asker?.caller, lane, headers })
  }

  #pages(name: RepositoryName, path: string, absent: ErrorCode, asker?: Asker): AsyncGenerator<unknown> {
    const first = this.#client.urlOf(`${name}/${path}`)
    const accept = path.startsWith('tags/') ? 'application/json' : ociIndex
    return pagesOf(this.#client.name, first, async (target) => {
      const question = { method: 'GET' as const, repository: name, caller: asker?.caller, headers: { accept } }
      const answer = await this.#client.ask({ ...question, target })
      if (accept === ociIndex && !hasReferrersApi(answer)) {
        answer.drop()
        throw new RegistryError(absent, `${this.#client.name} has no referrers API`)
      }
      this.#expectFound(answer, `${path.split('?')[0]} of ${name}`, absent)
      return answer
    })
  }

  /** Throws what a status other than 200 means. */
  #expectFound(answer: Answer, what: string, absent: ErrorCode): void {
    if (answer.status === 200) return
    answer.drop()
    const failure = statusFailure(this.#client.name, what, answer.status, answer.headers)
    if (failure) {
      // A refusal is an answer: most often it means that there is no such image.
      if (failure.failure !== 'unauthorized') this.#client.failed(failure)
      throw failure
    }
    if (answer.status === 404 || answer.status === 410) {
      throw new RegistryError(absent, `${what} does not exist at ${this.#client.name}`)
    }
    throw new UpstreamError('bad-answer', `upstream ${this.#client.name} answered ${answer.status} for ${what}`)
  }

  #checkedManifest(what: string, bytes: Buffer, claimedType: string, expected: Digest | undefined): Manifest {
    const refuse = (why: string) => new UpstreamError('bad-answer', `upstream ${this.#client.name}: ${what} ${why}`)
    if (isSchema1(claimedType))
      throw refuse('is of Docker schema 1, which no client in use accepts: have it pushed anew')
    const digest = digestOf(bytes, expected && algorithmOf(expected))
    if (expected && digest !== expected) throw refuse(`must have digest ${expected}, saw ${digest}`)
    return {
      digest,
      mediaType: manifestType(claimedType, bytes, refuse),
      size: bytes.length,
      bytes: new Uint8Array(bytes),
    }
  }
}

/** The type sent, unless it is one that says nothing; then what the manifest says of itself. */
function manifestType(claimed: string, bytes: Buffer, refuse: (why: string) => UpstreamError): string {
  if (isManifestType(claimed) && claimed !== 'application/json') return claimed
  try {
    return mediaTypeOf(readManifest(bytes))
  } catch {
    throw refuse(`must be a manifest, saw something that is no JSON object`)
  }
}

/** The digest that was sent, whose hex some write in upper case. One that cannot be read is as good as none. */
function digestIn(answer: Answer): Digest | undefined {
  const text = answer.header('docker-content-digest')?.toLowerCase() ?? ''
  return isDigest(text) ? text : undefined
}

/** Answers to unknown paths differ; go-containerregistry goes by the same (pkg/v1/remote/referrers.go). */
function hasReferrersApi(answer: Answer): boolean {
  if (answer.status === 200) return essence(answer.header('content-type')) === ociIndex
  return ![400, 404, 406].includes(answer.status)
}

function lengthOf(answer: Answer): number | undefined {
  const text = answer.header('content-length')
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

function addTag(tags: Set<Tag>, text: string): void {
  try {
    tags.add(parseTag(text))
  } catch {
    // A tag that no client could ask for.
  }
}

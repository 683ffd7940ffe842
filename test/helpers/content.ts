import { Bytes, makeBytes, type BytesSpec } from './bytes.ts'
import { formatManifest, mediaTypeOf, namesIn, type Found, type ManifestSpec } from './manifest-spec.ts'

// Test content is symbolic: blobs and manifests have names, digests and sizes are filled in.
//
//     const content = makeContent({
//       'library/node': { blobs: { a: 'bytes' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 20: 'm' } },
//     })
//     content.digest('library/node', 'a')     // sha256:...

export type ContentSpec = Record<string, RepositorySpec>

export interface RepositorySpec {
  blobs?: Record<string, BytesSpec>
  manifests?: Record<string, ManifestSpec>
  /** Tag -> name of a manifest. */
  tags?: Record<string, string>
}

export interface Manifest {
  readonly mediaType: string
  readonly bytes: Bytes
  readonly subject: string | undefined
}

export function makeContent(spec: ContentSpec): Content {
  const content = new Content()
  for (const [name, repository] of Object.entries(spec)) content.add(name, repository)
  return content
}

export class Content {
  readonly repositories = new Map<string, Repository>()

  /** Adds to a repository, which is made if it is not there. */
  add(name: string, spec: RepositorySpec): Repository {
    const repository = this.repositories.get(name) ?? new Repository(name)
    this.repositories.set(name, repository)
    repository.add(spec)
    return repository
  }

  in(name: string): Repository {
    const repository = this.repositories.get(name)
    if (!repository) throw new Error(`no repository ${name} in the test content`)
    return repository
  }

  digest = (repository: string, name: string): string => this.in(repository).digest(name)
  size = (repository: string, name: string): number => this.in(repository).size(name)
  bytes = (repository: string, name: string): Buffer => this.in(repository).bytes(name)
}

/** One repository. Whatever takes a `name` takes a symbolic name, a tag or a digest, and throws if there is none. */
export class Repository {
  /** By digest (sha256), as the two below. */
  readonly blobs = new Map<string, Bytes>()
  readonly manifests = new Map<string, Manifest>()
  /** Tag -> digest. */
  readonly tags = new Map<string, string>()
  readonly name: string
  readonly #names = new Map<string, string>()

  constructor(name: string) {
    this.name = name
  }

  add(spec: RepositorySpec): void {
    for (const [name, blob] of Object.entries(spec.blobs ?? {})) {
      const bytes = makeBytes(blob)
      this.blobs.set(bytes.digest, bytes)
      this.#names.set(name, bytes.digest)
    }
    // Manifests name one another, in any order: those named come first.
    const waiting = new Map(Object.entries(spec.manifests ?? {}))
    for (const name of waiting.keys()) this.#addManifest(name, waiting)
    for (const [tag, name] of Object.entries(spec.tags ?? {})) this.tags.set(tag, this.digest(name))
  }

  #addManifest(name: string, waiting: Map<string, ManifestSpec>): void {
    const spec = waiting.get(name)
    if (!spec) return
    waiting.delete(name)
    for (const inner of namesIn(spec)) this.#addManifest(inner, waiting)
    const bytes = makeBytes(formatManifest(spec, (inner) => this.#find(inner)))
    const subject = spec.subject === undefined ? undefined : subjectOf(bytes)
    this.manifests.set(bytes.digest, { mediaType: mediaTypeOf(spec), bytes, subject })
    this.#names.set(name, bytes.digest)
  }

  #find(name: string): Found {
    const digest = this.#names.get(name) ?? this.tags.get(name) ?? name
    const manifest = this.manifests.get(digest)
    if (manifest) return { digest, size: manifest.bytes.size, mediaType: manifest.mediaType }
    const blob = this.blobs.get(digest)
    if (!blob) throw new Error(`${this.name} has nothing named ${name}`)
    return { digest, size: blob.size }
  }

  digest(name: string): string {
    return this.#find(name).digest
  }

  size(name: string): number {
    return this.#find(name).size
  }

  bytes(name: string): Buffer {
    return this.#all(name).read()
  }

  json(name: string): unknown {
    return JSON.parse(this.bytes(name).toString())
  }

  /** Removes a manifest, with the tags that lead to it, or a blob. */
  delete(name: string): void {
    const digest = this.digest(name)
    this.manifests.delete(digest)
    this.blobs.delete(digest)
    for (const [tag, tagged] of this.tags) if (tagged === digest) this.tags.delete(tag)
  }

  /** The same content's digest by another algorithm; it can be asked for by that one too. */
  sha512(name: string): string {
    return this.#all(name).digestBy('sha512')
  }

  #all(name: string): Bytes {
    const { digest } = this.#find(name)
    return this.manifests.get(digest)?.bytes ?? this.blobs.get(digest)!
  }

  findBlob(digest: string): Bytes | undefined {
    return this.blobs.get(digest) ?? [...this.blobs.values()].find((blob) => isSha512Of(blob, digest))
  }

  /** By tag or digest. */
  findManifest(reference: string): Manifest | undefined {
    const found = this.manifests.get(this.tags.get(reference) ?? reference)
    return found ?? [...this.manifests.values()].find(({ bytes }) => isSha512Of(bytes, reference))
  }

  referrers(digest: string): Manifest[] {
    return [...this.manifests.values()].filter((manifest) => manifest.subject === digest)
  }
}

function isSha512Of(bytes: Bytes, digest: string): boolean {
  return digest.startsWith('sha512:') && bytes.digestBy('sha512') === digest
}

function subjectOf(bytes: Bytes): string {
  return (JSON.parse(bytes.read().toString()) as { subject: { digest: string } }).subject.digest
}

import type { Descriptor } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { readManifest, type ManifestContent } from '../oci/manifest.ts'
import { withinPatience } from '../oci/patience.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'
import type { Asker, RegistryReader } from '../oci/registry.ts'
import { readWhole } from '../oci/whole-blob.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { NotRead, type AttachedDocument, type Packages } from '../packages/packages.ts'
import { mostListed } from './image-config.ts'
import { cosignTags, referrerKind, type ReferrerKind } from './referrers.ts'

/** Something that refers to an image. */
export interface ReferrerView {
  readonly kind: ReferrerKind
  readonly digest: Digest
  readonly type: string
  readonly size: number | undefined
  /** What it says, as far as it is of a form that is read here; undefined while it is being read. */
  readonly documents: readonly DocumentView[] | undefined
}

/** A document, or why it is not read. */
export interface DocumentView {
  readonly descriptor: Descriptor
  readonly kind: AttachedDocument['kind'] | 'unread'
  /** `SPDX 2.3`, or the type of a statement. */
  readonly format: string | undefined
  /** How many packages it lists. */
  readonly packages: number | undefined
  readonly builder: string | undefined
  readonly source: string | undefined
  readonly revision: string | undefined
  /** Whether it says that it is about another image. */
  readonly isOfAnother: boolean
  /** Whether it is about the image that is shown, and not about an index that leads to it. */
  readonly isOfImage: boolean
  /** Why it is not read. */
  readonly why: string | undefined
}

/** The manifest that is looked at, and the image of one platform that it leads to. */
export interface Subject {
  readonly digest: Digest
  readonly content: ManifestContent
  readonly image: Digest | undefined
}

export interface AttachedOptions {
  registry: RegistryReader
  metadata: Metadata
  packages: Packages
}

/** How long a page waits for what is attached, in milliseconds; what comes later is there the next time. */
const patience = 1_500
/** How many referrers are read, and documents of each. */
const mostReferrers = 10
const mostDocuments = 5

const attestationOf = ({ annotations }: Descriptor): string | undefined =>
  annotations?.['vnd.docker.reference.type'] && (annotations['vnd.docker.reference.digest'] ?? '')

/** What is attached to images: signatures, lists of packages, provenance. Read at the visitor's cost, as a client would. */
export class Attached {
  readonly #options: AttachedOptions

  constructor(options: AttachedOptions) {
    this.#options = options
  }

  async of(name: RepositoryName, subject: Subject, asker: Asker): Promise<ReferrerView[]> {
    const { digest, content, image } = subject
    const subjects = image === undefined || image === digest ? [digest] : [digest, image]
    const found: Referrer[] = []
    for (const each of subjects) {
      found.push(...(await this.#listed(name, each, asker)), ...(await this.#tagged(name, each)))
    }
    // BuildKit's index has those of all platforms.
    for (const child of content.manifests.slice(0, mostListed)) {
      const about = attestationOf(child)
      if (about !== undefined) found.push({ ...viewOf(child), about: about as Digest })
    }
    const read = found.filter(({ about }) => subjects.includes(about)).slice(0, mostReferrers)
    return Promise.all(
      found.map(async ({ about, ...referrer }) => {
        if (!read.some(({ digest }) => digest === referrer.digest)) return { ...referrer, documents: [] }
        const documents = this.#documents(name, referrer.digest, {
          subjects,
          isOfImage: about === (image ?? digest),
          asker,
        })
        return { ...referrer, documents: await withinPatience(documents, patience, () => undefined) }
      }),
    )
  }

  /** What a document says. Rejects with NotRead. */
  read(name: RepositoryName, descriptor: Descriptor, asker: Asker): Promise<AttachedDocument | undefined> {
    const { registry, packages } = this.#options
    return packages.document(descriptor, async () => {
      const bytes = await readWhole(await registry.getBlob(name, descriptor.digest, undefined, asker), descriptor.size)
      if (!bytes) throw new NotRead('it is larger than its descriptor says')
      return bytes
    })
  }

  async #listed(name: RepositoryName, digest: Digest, asker: Asker) {
    // An upstream that fails must not take the page with it: what it would list is then not shown.
    return unlessRefused(async () => {
      const { descriptors } = await this.#options.registry.listReferrers(name, digest, asker)
      return descriptors.slice(0, mostListed).map((descriptor): Referrer => ({ ...viewOf(descriptor), about: digest }))
    }, [])
  }

  async #tagged(name: RepositoryName, digest: Digest): Promise<Referrer[]> {
    const found: Referrer[] = []
    for (const { ending, kind } of cosignTags) {
      const tag = `${digest.replace(':', '-')}.${ending}`
      const known = await this.#options.metadata.browsing.findTag(name, tag as Tag)
      if (known) found.push({ kind, digest: known.digest, type: `tag ${tag}`, size: undefined, about: digest })
    }
    return found
  }

  async #documents(name: RepositoryName, digest: Digest, context: Context): Promise<DocumentView[]> {
    return unlessRefused(async () => {
      const { layers } = readManifest((await this.#options.registry.getManifest(name, digest, context.asker)).bytes)
      const documents = layers.filter(({ mediaType }) => mayBeDocument(mediaType)).slice(0, mostDocuments)
      const views = await Promise.all(documents.map((descriptor) => this.#view(name, descriptor, context)))
      return views.filter((view) => view !== undefined)
    }, [])
  }

  async #view(
    name: RepositoryName,
    descriptor: Descriptor,
    { subjects, isOfImage, asker }: Context,
  ): Promise<DocumentView | undefined> {
    const nothing = { descriptor, format: undefined, packages: undefined, builder: undefined, source: undefined }
    const empty = { ...nothing, revision: undefined, isOfAnother: false, isOfImage, why: undefined }
    try {
      const document = await this.read(name, descriptor, asker)
      if (!document) return undefined
      const { about } = document
      const isOfAnother = about.length > 0 && !about.some((digest) => subjects.includes(digest as Digest))
      const view = { ...empty, isOfAnother, isOfImage: isOfImage && !isOfAnother }
      if (document.kind === 'provenance') {
        const { kind, builder, source, revision } = document
        return { ...view, kind, builder, source, revision }
      }
      if (document.kind === 'statement') return { ...view, kind: 'statement', format: document.type }
      return { ...view, kind: 'SBOM', format: document.format, packages: document.packages.length }
    } catch (error) {
      if (!(error instanceof NotRead || error instanceof RegistryError)) throw error
      return { ...empty, kind: 'unread', why: error.message }
    }
  }
}

/** With what it refers to. */
type Referrer = Omit<ReferrerView, 'documents'> & { readonly about: Digest }

interface Context {
  /** What documents may say that they are about. */
  readonly subjects: readonly Digest[]
  readonly isOfImage: boolean
  readonly asker: Asker
}

function viewOf(descriptor: Descriptor): Omit<Referrer, 'about'> {
  const { digest, artifactType, mediaType, size } = descriptor
  return { kind: referrerKind(descriptor), digest, type: artifactType ?? mediaType, size }
}

/** By its type; what it is in truth shows when it is read. */
function mayBeDocument(mediaType: string): boolean {
  return /json|spdx|cyclonedx|in-toto|dsse|sigstore\.bundle/.test(mediaType) && !mediaType.includes('simplesigning')
}

async function unlessRefused<T>(ask: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof RegistryError) return otherwise
    throw error
  }
}

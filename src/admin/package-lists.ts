import type { Digest } from '../oci/digest.ts'
import { withinPatience } from '../oci/patience.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { Asker } from '../oci/registry.ts'
import {
  comparePackages,
  NotRead,
  sizeOf,
  type Package,
  type PackageChange,
  type Packages,
} from '../packages/packages.ts'
import type { Attached, DocumentView } from './attached.ts'
import type { ImageView } from './images.ts'

/** It takes longer than anybody waits: to be asked for again. */
type Reading = { readonly state: 'reading' }
/** Why it is not known, in words for people. */
type Unknown = { readonly state: 'unknown'; readonly why: string }

export interface PackageList {
  readonly state: 'known'
  readonly source: PackageSource
  readonly packages: readonly Package[]
  /** What is not in it, in words for people. */
  readonly notes: readonly string[]
}

/** A list that is attached to the image, or its layers. */
export type PackageSource =
  { readonly kind: 'SBOM'; readonly format: string; readonly digest: Digest } | { readonly kind: 'layers' }

export type PackagesView = PackageList | Reading | Unknown

/** What an update changes among packages. */
export interface PackageDifference {
  readonly state: 'known'
  readonly from: PackageSide
  readonly to: PackageSide
  readonly changes: readonly PackageChange[]
  readonly notes: readonly string[]
}

export interface PackageSide {
  readonly source: PackageSource
  readonly count: number
  /** Bytes of all when they are installed; undefined where some do not say. */
  readonly size: number | undefined
}

export type PackageComparison = PackageDifference | Reading | Unknown

export interface PackageListsOptions {
  packages: Packages
  attached: Attached
}

/** How long a page waits, in milliseconds. What is being read goes on. */
const patience = 2_000

const reading = (): Reading => ({ state: 'reading' })

/** What is installed in images, and what an update changes of it. Whoever asks has been shown the images. */
export class PackageLists {
  readonly #options: PackageListsOptions

  constructor(options: PackageListsOptions) {
    this.#options = options
  }

  of(name: RepositoryName, view: ImageView, asker: Asker): Promise<PackagesView> {
    return withinPatience<PackagesView>(
      unknownIfNotRead(() => this.#best(name, view, asker)),
      patience,
      reading,
    )
  }

  compare(name: RepositoryName, views: readonly [ImageView, ImageView], asker: Asker): Promise<PackageComparison> {
    const compared = unknownIfNotRead(async () => {
      const [from, to] = await this.#alike(name, views, asker)
      const notes = [...new Set([...from.notes, ...to.notes])]
      if (from.source.kind !== to.source.kind) notes.push('one is known by an SBOM, the other by its layers')
      const changes = comparePackages(from.packages, to.packages)
      return { state: 'known', from: sideOf(from), to: sideOf(to), changes, notes } as const
    })
    return withinPatience<PackageComparison>(compared, patience, reading)
  }

  /** Both from the same kind of source, where that can be: an SBOM lists more than package managers do. */
  async #alike(name: RepositoryName, [from, to]: readonly [ImageView, ImageView], asker: Asker) {
    const haveBoth = billOf(from) && billOf(to)
    if (haveBoth) return [await this.#best(name, from, asker), await this.#best(name, to, asker)] as const
    try {
      return [await this.#ofLayers(from), await this.#ofLayers(to)] as const
    } catch (error) {
      if (!(error instanceof NotRead)) throw error
      return [await this.#best(name, from, asker), await this.#best(name, to, asker)] as const
    }
  }

  async #best(name: RepositoryName, view: ImageView, asker: Asker): Promise<PackageList> {
    const bill = billOf(view)
    const document = bill && (await this.#options.attached.read(name, bill.descriptor, asker))
    if (document?.kind !== 'SBOM') return this.#ofLayers(view)
    const source = { kind: 'SBOM', format: document.format, digest: bill!.descriptor.digest } as const
    return { state: 'known', source, packages: document.packages, notes: [] }
  }

  async #ofLayers({ image }: ImageView): Promise<PackageList> {
    if (!image) throw new NotRead('there is no image of this platform')
    if (!image.layers.every(({ stored }) => stored))
      throw new NotRead('no SBOM is attached, and not all layers are here')
    const { packages, unread } = await this.#options.packages.ofLayers(image.layers.map((layer) => layer.descriptor))
    const notes = unread.map(({ path, unread }) =>
      unread === 'rpm' ? `RPM’s database (${path}) is not read here` : `${path} is too large to be read`,
    )
    if (packages.length > 0) return { state: 'known', source: { kind: 'layers' }, packages, notes }
    throw new NotRead(notes[0] ?? 'no SBOM is attached, and its layers have no database of dpkg or apk')
  }
}

/** A list of packages about this very image. One that is about its index may be of another platform. */
function billOf({ referrers }: ImageView): DocumentView | undefined {
  const documents = referrers.flatMap(({ documents }) => documents ?? [])
  return documents.find(({ kind, packages, isOfImage }) => kind === 'SBOM' && packages !== 0 && isOfImage)
}

const sideOf = ({ source, packages }: PackageList): PackageSide => ({
  source,
  count: packages.length,
  size: sizeOf(packages),
})

async function unknownIfNotRead<T>(find: () => Promise<T>): Promise<T | Unknown> {
  try {
    return await find()
  } catch (error) {
    if (!(error instanceof NotRead)) throw error
    return { state: 'unknown', why: error.message }
  }
}

/** Something that is installed in an image. Every text in it is untrusted. */
export interface Package {
  /** What manages it: `deb`, `apk`, or another type of package URL (purl-spec); empty where that is not said. */
  readonly kind: string
  readonly name: string
  readonly version: string
  /** Bytes that it takes when it is installed, where that is known. */
  readonly size?: number | undefined
}

/** What a layer says of packages. Paths are those of databases, without a slash before them. */
export interface LayerFindings {
  /** What it removes of the layers below; a path with a slash behind it: all that lies in there. */
  readonly removed: readonly string[]
  readonly databases: readonly Database[]
}

export interface Database {
  readonly path: string
  readonly packages: readonly Package[]
  /** Why it was not read. */
  readonly unread?: Unread
}

/** `rpm`: a database that nothing here reads; `size`: it is too large to be a database of packages. */
export type Unread = 'rpm' | 'size'

/** What is attached to an image about it, as far as it is of a form that is read here. */
export type AttachedDocument =
  | { readonly kind: 'SBOM'; readonly format: string; readonly packages: readonly Package[]; readonly about: About }
  | {
      readonly kind: 'provenance'
      readonly builder: string | undefined
      /** Where the source is: a URL most often. */
      readonly source: string | undefined
      readonly revision: string | undefined
      readonly about: About
    }
  /** A statement of another type. */
  | { readonly kind: 'statement'; readonly type: string; readonly about: About }

/** Digests of what a document says it is about; none where it does not say. */
export type About = readonly string[]

/** What the thread is told. `most`: bytes that a layer may unpack to. */
export type ThreadOrder =
  | { readonly order: 'layer'; readonly compression: Compression; readonly most: number }
  | { readonly order: 'chunk'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly order: 'end' }
  | { readonly order: 'document'; readonly bytes: Uint8Array<ArrayBuffer> }

export type ThreadReport =
  /** More of the layer may come. */
  | { readonly report: 'more' }
  | { readonly report: 'layer'; readonly findings: LayerFindings }
  | { readonly report: 'document'; readonly document: AttachedDocument | undefined }
  | { readonly report: 'failed'; readonly why: string }

export type Compression = 'none' | 'gzip' | 'zstd'

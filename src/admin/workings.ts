import type { Digest } from '../oci/digest.ts'
import type { Tag } from '../oci/reference.ts'
import type { RepositoryKey, TagPin } from '../metadata/metadata.ts'

// What goes on inside, as the rooms that do the work tell it. The server's wiring puts it together.

/** A blob that is being fetched. */
export interface FillProgress {
  readonly digest: Digest
  readonly upstream: string
  /** Bytes; undefined until the upstream has told. */
  readonly size: number | undefined
  /** Bytes that are here. */
  readonly present: number
  /** Milliseconds since 1970. */
  readonly startedAt: number
}

export interface UpstreamState {
  readonly name: string
  readonly url: string
  /** Hosts that are given up for a pause, each since when. */
  readonly down: ReadonlyMap<string, number>
  /** What is left of pull limits, by account. */
  readonly budgets: ReadonlyMap<
    string,
    { readonly remaining: number; readonly limit: number | undefined; readonly scarce: boolean; readonly at: number }
  >
  /** Accounts whose credentials do not work. */
  readonly refused: ReadonlyMap<string, { readonly host: string; readonly why: string; readonly since: number }>
}

/** Something that went wrong lately, in words for people; `upstream` is empty where it concerns none. */
export interface Problem {
  readonly at: number
  readonly upstream: string
  readonly message: string
  /** How often in a row. */
  readonly times: number
}

/** What would be collected of what is hosted, or was. */
export interface Going {
  readonly repository: string
  readonly what: string
  readonly why: string
  /** Bytes. */
  readonly size: number
}

export interface Workings {
  fills(): readonly FillProgress[]
  upstreams(): readonly UpstreamState[]
  /** Newest first. */
  problems(): readonly Problem[]
  /** Bytes free on the disk. */
  free(): Promise<number>
  readonly limits: { readonly maxSize: number; readonly minFree: number; readonly pins: readonly string[] }
  /** Evicts what limits ask for; the bytes freed. */
  evict(): Promise<number>
  evictThese(digests: readonly Digest[], upstream: string): Promise<number>
  collect(dryRun: boolean): Promise<readonly Going[]>
  /** A blob that is on the disk; undefined where it is not. Whoever opened it closes it. */
  openBlob(
    digest: Digest,
  ): Promise<{ size: number; read(into: Uint8Array, position: number): Promise<number>; close(): void } | undefined>
  /** Lets a cached tag mean a digest, whatever its upstream says. */
  pinTag(pin: TagPin): Promise<void>
  /** False when it was not pinned. */
  releaseTag(repository: RepositoryKey, tag: Tag): Promise<boolean>
}

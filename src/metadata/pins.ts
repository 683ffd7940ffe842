import type { Digest } from '../oci/digest.ts'
import type { Tag } from '../oci/reference.ts'
import type { RepositoryKey } from './metadata.ts'

/** A cached tag that means what it was set to, whatever its upstream says. */
export interface TagPin extends RepositoryKey {
  readonly tag: Tag
  readonly digest: Digest
  /** Milliseconds since 1970. */
  readonly pinnedAt: number
  /** The user who did it. */
  readonly by?: string | undefined
}

/** What somebody holds fast of what is cached, besides the settings. */
export interface Pins {
  /** Tags that are never evicted: patterns of `upstream/repository:tag`. */
  list(): Promise<string[]>
  add(pattern: string, at: number): Promise<void>
  /** False when it was not there. */
  remove(pattern: string): Promise<boolean>

  /** Tags that stay what they were set to. */
  listTags(): Promise<TagPin[]>
  /** Replaces the pin that the tag has. */
  putTag(pin: TagPin): Promise<void>
  /** False when it was not there. */
  removeTag(repository: RepositoryKey, tag: Tag): Promise<boolean>
}

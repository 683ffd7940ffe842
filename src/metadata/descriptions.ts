import type { RepositoryName } from '../oci/reference.ts'

/** What somebody wrote of a hosted repository. An empty text stands for what the image says of itself. */
export interface WrittenDescription {
  /** One line. */
  readonly short: string
  /** Markdown. */
  readonly readme: string
  /** Greater after each change. */
  readonly revision: number
  readonly by: string | undefined
  /** Milliseconds since 1970. */
  readonly at: number
}

/** What the image that stands for a repository says of itself in one line; empty where it says nothing. */
export interface ImageLine {
  readonly line: string
  /** Whether all of the image was here to be read. */
  readonly whole: boolean
}

/** What repositories are, for people; by whole names. Nothing here asks who may see what it returns: the caller does. */
export interface DescriptionMetadata {
  find(name: RepositoryName): Promise<WrittenDescription | undefined>
  /**
   * Writes where the revision is still `revision`, 0 where nothing was written yet; false where it is another one. When the
   * promise resolves, what it wrote survives a power loss.
   */
  put(name: RepositoryName, written: Omit<WrittenDescription, 'revision'>, revision: number): Promise<boolean>
  /** Repositories whose line is to be read, hosted and cached, as their tags have changed. */
  listUnread(limit: number): Promise<RepositoryName[]>
  /** Notes the line for lists and searches. */
  read(name: RepositoryName, line: ImageLine): Promise<void>
}

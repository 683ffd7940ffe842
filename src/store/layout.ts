import { mkdir, open } from 'node:fs/promises'
import path from 'node:path'
import { algorithmOf, hexOf, isDigest, type Digest } from '../oci/digest.ts'

/**
 * Where things lie under the data folder, layout version 1:
 *
 *     blobs/sha256/ab/ab12...          finished content, verified; the name is the digest
 *     partial/sha256-ab12...           a fill's file, of the blob's full size, with holes
 *     partial/sha256-ab12....json      which bytes of it are present
 *     quarantine/sha256-ab12...        stored content that proved wrong
 */
export class Layout {
  readonly root: string

  constructor(root: string) {
    this.root = path.resolve(root)
  }

  get blobs(): string {
    return path.join(this.root, 'blobs')
  }
  get partials(): string {
    return path.join(this.root, 'partial')
  }
  get quarantine(): string {
    return path.join(this.root, 'quarantine')
  }

  blob(digest: Digest): string {
    const hex = hexOf(digest)
    return path.join(this.blobs, algorithmOf(digest), hex.slice(0, 2), hex)
  }

  partial(digest: Digest): string {
    return path.join(this.partials, flat(digest))
  }

  intervals(digest: Digest): string {
    return `${this.partial(digest)}.json`
  }

  quarantined(digest: Digest): string {
    return path.join(this.quarantine, flat(digest))
  }

  /** The digest of a file name in `partial`; undefined for anything that is not one of ours. */
  digestOfPartial(fileName: string): Digest | undefined {
    const text = fileName.replace(/\.json$/, '').replace('-', ':')
    return isDigest(text) ? text : undefined
  }

  async create(): Promise<void> {
    for (const folder of [this.blobs, this.partials, this.quarantine]) await mkdir(folder, { recursive: true })
  }
}

const flat = (digest: Digest): string => digest.replace(':', '-')

/** Makes a rename in `folder` survive a power loss. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

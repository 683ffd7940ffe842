import { mkdir, open, rename } from 'node:fs/promises'
import path from 'node:path'
import { algorithmOf, hexOf, isDigest, type Digest } from '../oci/digest.ts'

/**
 * Where things lie under the data folder, layout version 1:
 *
 *     blobs/sha256/ab/ab12...          finished content, verified; the name is the digest
 *     partial/sha256-ab12...           a fill's file, of the blob's full size, with holes
 *     partial/sha256-ab12....json      which bytes of it are present
 *     uploads/0f8b...                  what a push has sent so far; the name is the session
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
  get uploads(): string {
    return path.join(this.root, 'uploads')
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

  /** `id` must be one that `isUploadId` agrees with: it comes from a client. */
  upload(id: string): string {
    return path.join(this.uploads, id)
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
    for (const folder of [this.blobs, this.partials, this.uploads, this.quarantine])
      await mkdir(folder, { recursive: true })
  }
}

/** Whether a text has the form of our upload sessions, so that it can name nothing but a file in `uploads`. */
export function isUploadId(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}

const flat = (digest: Digest): string => digest.replace(':', '-')

/** Moves a file to its place so that a power loss cannot undo it: the content, the name, and a folder made for it. */
export async function placeDurably(from: string, to: string): Promise<void> {
  const folder = path.dirname(to)
  const made = await mkdir(folder, { recursive: true })
  await rename(from, to)
  await syncFolder(folder)
  // `made` is the outermost new folder; its name stands in the one around it.
  for (let outer = folder; made !== undefined && outer.startsWith(made);) {
    outer = path.dirname(outer)
    await syncFolder(outer)
  }
}

/** Makes a rename in `folder` survive a power loss. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

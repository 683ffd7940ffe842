import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

// What a client holds after a pull, told by the diff ids of the image's layers: the one name of an image's content that all
// clients agree on, whatever form (index, manifest, Docker or OCI) they keep.

/** The platform of this machine in OCI words: what clients choose from an index. */
export const platform = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`

/** Reads a manifest or config by its digest. */
export type ReadJson = (digest: string) => Promise<unknown>

interface Entry {
  digest: string
  platform?: { os: string; architecture: string }
}

interface Content {
  manifests?: Entry[]
  config?: Entry
  rootfs?: { diff_ids: string[] }
}

/** Follows index, manifest and config down to the diff ids. */
export async function diffIdsBelow(digest: string, read: ReadJson): Promise<string[]> {
  const content = (await read(digest)) as Content
  if (content.rootfs) return content.rootfs.diff_ids
  const next = content.config ?? content.manifests?.find(isOurs)
  if (!next) throw new Error(`${digest} leads to no config for ${platform}: ${JSON.stringify(content)}`)
  return diffIdsBelow(next.digest, read)
}

/** The same for an OCI image layout that holds one image. */
export async function diffIdsOfLayout(folder: string): Promise<string[]> {
  const index = (await readJson(join(folder, 'index.json'))) as Content
  const root = index.manifests?.[0]
  if (!root) throw new Error(`${folder} holds no image`)
  return diffIdsBelow(root.digest, (digest) => readJson(join(folder, 'blobs', ...digest.split(':'))))
}

async function readJson(file: string): Promise<unknown> {
  return JSON.parse(await readFile(file, 'utf8')) as unknown
}

function isOurs(entry: Entry): boolean {
  return entry.platform !== undefined && `${entry.platform.os}/${entry.platform.architecture}` === platform
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { thisArchitecture } from './images.ts'

/** The platform of this machine in OCI words: what clients choose from an index. */
export const platform = `linux/${thisArchitecture}`

/** Everything that a client fetches to have an image for this machine, as digests. */
export interface Parts {
  /** The index, where there is one, and the manifest for this platform. */
  manifests: string[]
  /** Config and layers. */
  blobs: string[]
  /** Of the unpacked layers: the one name of an image's content that all clients agree on, whatever form they keep. */
  diffIds: string[]
}

/** Reads a manifest or config by its digest. */
export type ReadJson = (digest: string) => unknown

/** Follows index, manifest and config. */
export async function partsBelow(digest: string, read: ReadJson): Promise<Parts> {
  const content = (await read(digest)) as Content
  if (content.manifests) {
    const below = await partsBelow(chooseOurs(content.manifests).digest, read)
    return { ...below, manifests: [digest, ...below.manifests] }
  }
  if (!content.config) throw new Error(`${digest} is neither an index nor a manifest: ${JSON.stringify(content)}`)
  const config = (await read(content.config.digest)) as Content
  const blobs = [content.config, ...(content.layers ?? [])].map((entry) => entry.digest)
  return { manifests: [digest], blobs, diffIds: config.rootfs?.diff_ids ?? [] }
}

/** The same for an OCI image layout that holds one image. */
export async function partsOfLayout(folder: string): Promise<Parts> {
  const index = (await readJson(join(folder, 'index.json'))) as Content
  const root = index.manifests?.[0]
  if (!root) throw new Error(`${folder} holds no image`)
  return partsBelow(root.digest, (digest) => readJson(join(folder, 'blobs', ...digest.split(':'))))
}

interface Entry {
  digest: string
  platform?: { os: string; architecture: string }
}

/** What an index, a manifest or a config has of these. */
interface Content {
  manifests?: Entry[]
  config?: Entry
  layers?: Entry[]
  rootfs?: { diff_ids: string[] }
}

function chooseOurs(entries: Entry[]): Entry {
  const ours = entries.find((entry) => `${entry.platform?.os}/${entry.platform?.architecture}` === platform)
  if (!ours) throw new Error(`the index has no image for ${platform}`)
  return ours
}

async function readJson(file: string): Promise<unknown> {
  return JSON.parse(await readFile(file, 'utf8')) as unknown
}

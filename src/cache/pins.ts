import type { Digest } from '../oci/digest.ts'
import { blobsOf, findContent } from '../oci/manifest.ts'
import { namePattern } from '../oci/pattern.ts'
import type { Metadata, RepositoryKey } from '../metadata/metadata.ts'

/**
 * Everything that pinned tags need: their manifests, their children's, and the blobs of these. Those that are pinned to a
 * digest need that. A pattern is of `upstream/repository:tag`; one without a tag pins all tags.
 */
export async function pinnedContent(patterns: readonly string[], metadata: Metadata): Promise<Set<Digest>> {
  const pinned = new Set<Digest>()
  for (const { digest, ...repository } of await metadata.pins.listTags()) {
    await pin(repository, digest, pinned, metadata)
  }
  if (patterns.length === 0) return pinned
  const fits = patterns.map((pattern) => namePattern(hasTag(pattern) ? pattern : `${pattern}:*`))
  for (const { registry, name, tag, digest } of await metadata.listAllTags()) {
    if (fits.some((fit) => fit(`${registry}/${name}:${tag}`))) await pin({ registry, name }, digest, pinned, metadata)
  }
  return pinned
}

async function pin(repository: RepositoryKey, digest: Digest, pinned: Set<Digest>, metadata: Metadata): Promise<void> {
  if (pinned.has(digest)) return
  pinned.add(digest)
  const manifest = await metadata.findManifest(repository, digest)
  const content = manifest && findContent(manifest.bytes)
  if (!content) return
  for (const blob of blobsOf(content)) pinned.add(blob.digest)
  for (const child of content.manifests) await pin(repository, child.digest, pinned, metadata)
}

const hasTag = (pattern: string): boolean => pattern.lastIndexOf(':') > pattern.lastIndexOf('/')

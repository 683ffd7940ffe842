import type { Digest } from '../oci/digest.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { HostedStatements } from './hosted-statements.ts'
import type { HostedManifest, PutResult, TagsToSet } from './hosted.ts'
import type { SqliteTagHistory } from './sqlite-tag-history.ts'

interface Push {
  manifest: HostedManifest
  tags: TagsToSet
  at: number
  history: SqliteTagHistory
}

/**
 * Puts a manifest and its tags into a repository. Runs in a transaction, so that what it finds present still is when the
 * manifest that names it becomes visible: the collector sees both or neither.
 */
export function putManifestIn(sql: HostedStatements, name: RepositoryName, id: number, push: Push): PutResult {
  const { manifest, tags, at, history } = push
  const refused = lacking(sql, name, id, manifest) ?? refusedTag(sql, name, manifest.digest, tags)
  if (refused) return refused
  const { digest, mediaType, artifactType, annotations, subject, bytes } = manifest
  const noted = annotations === undefined ? null : JSON.stringify(annotations)
  sql.putManifest.run(id, digest, mediaType, artifactType ?? null, noted, subject ?? null, bytes, at)
  for (const target of manifest.blobs) sql.putReference.run(id, digest, target.digest)
  for (const target of [...manifest.children, ...manifest.optional]) sql.putReference.run(id, digest, target)
  for (const tag of tags.tags) {
    const before = sql.findTag.get(name, tag)
    // What the tag meant before may be in the middle of a pull.
    if (before && before.digest !== digest) sql.touchManifestIn.run(at, id, before.digest)
    sql.putTag.run(id, tag, digest, at)
    history.note(name, tag, { digest, at, by: tags.by })
  }
  return { done: true }
}

function lacking(
  sql: HostedStatements,
  name: RepositoryName,
  id: number,
  manifest: HostedManifest,
): PutResult | undefined {
  const missing: Digest[] = []
  for (const { digest, size } of manifest.blobs) {
    const stored = sql.findBlob.get(name, digest)
    if (!stored) missing.push(digest)
    else if (stored.size !== size) return { wrongSize: digest, size, stored: stored.size }
  }
  for (const digest of manifest.children) {
    if (!sql.hasManifest.get(id, digest) && !sql.findBlob.get(name, digest)) missing.push(digest)
  }
  return missing.length > 0 ? { missing } : undefined
}

function refusedTag(
  sql: HostedStatements,
  name: RepositoryName,
  digest: Digest,
  { tags, immutable, maxTags }: TagsToSet,
): PutResult | undefined {
  const added = tags.filter((tag) => !sql.findTag.get(name, tag))
  const fixed = tags.find((tag) => immutable(tag) && (sql.findTag.get(name, tag)?.digest ?? digest) !== digest)
  if (fixed) return { immutable: fixed }
  if (added.length === 0 || maxTags === Infinity) return undefined
  const namespace = name.split('/', 1)[0]!
  const { tags: present } = sql.usage.get(namespace)!
  return present + added.length > maxTags ? { tooManyTags: present } : undefined
}

import type { Database } from 'better-sqlite3'

export type HostedStatements = ReturnType<typeof hostedStatements>

const repositoryOf = '(SELECT id FROM hosted_repositories WHERE name = ?)'

/** Every statement on what is hosted, prepared once. The name of a repository comes first wherever there is one. */
export function hostedStatements(database: Database) {
  // For the collector, which asks it twice within a transaction: empty before and after, also when that is undone.
  database.exec('CREATE TEMP TABLE live (digest TEXT PRIMARY KEY) STRICT, WITHOUT ROWID')
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
  return {
    listNamespaces: prepare<[], { name: string }>('SELECT name FROM hosted_namespaces ORDER BY name'),
    addNamespace: prepare<[string, number]>(
      'INSERT INTO hosted_namespaces (name, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING',
    ),
    removeNamespace: prepare<[string]>('DELETE FROM hosted_namespaces WHERE name = ?'),
    findNamespace: prepare<[string]>('SELECT 1 FROM hosted_namespaces WHERE name = ?'),
    countRepositories: prepare<[string], { count: number }>(
      `SELECT count(*) AS count FROM hosted_repositories WHERE namespace = ?
         AND id IN (SELECT repository FROM hosted_manifests UNION SELECT repository FROM hosted_blobs)`,
    ),
    usage: prepare<[string], { bytes: number; tags: number }>(
      'SELECT bytes, tags FROM hosted_usage WHERE namespace = ?',
    ),

    addRepository: prepare<[string, string], { id: number }>(
      `INSERT INTO hosted_repositories (namespace, name) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET name = excluded.name RETURNING id`,
    ),
    findRepository: prepare<[string], { id: number }>('SELECT id FROM hosted_repositories WHERE name = ?'),
    listRepositories: prepare<[string, number], { name: string }>(
      `SELECT name FROM hosted_repositories WHERE name > ?
         AND EXISTS (SELECT 1 FROM hosted_manifests WHERE repository = id) ORDER BY name LIMIT ?`,
    ),
    allRepositories: prepare<[], { name: string }>('SELECT name FROM hosted_repositories ORDER BY name'),
    forgetRepository: prepare<[string]>(
      `DELETE FROM hosted_repositories WHERE name = ?
         AND id NOT IN (SELECT repository FROM hosted_manifests)
         AND id NOT IN (SELECT repository FROM hosted_blobs)
         AND id NOT IN (SELECT repository FROM hosted_references)
         AND id NOT IN (SELECT repository FROM hosted_tags)`,
    ),

    putUpload: prepare<[string, string, number]>(
      'INSERT INTO hosted_uploads (id, repository, created_at) VALUES (?, ?, ?)',
    ),
    findUpload: prepare<[string], { name: string; createdAt: number }>(
      'SELECT repository AS name, created_at AS createdAt FROM hosted_uploads WHERE id = ?',
    ),
    deleteUpload: prepare<[string]>('DELETE FROM hosted_uploads WHERE id = ?'),

    findBlob: prepare<[string, string], { size: number }>(
      `SELECT size FROM hosted_blobs WHERE repository = ${repositoryOf} AND digest = ?`,
    ),
    putBlob: prepare<[number, string, number, number]>(
      `INSERT INTO hosted_blobs (repository, digest, size, touched_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET size = excluded.size, touched_at = excluded.touched_at`,
    ),
    deleteBlob: prepare<[string, string]>(`DELETE FROM hosted_blobs WHERE repository = ${repositoryOf} AND digest = ?`),
    listHolders: prepare<[string], { name: string; size: number }>(
      `SELECT name, size FROM hosted_blobs JOIN hosted_repositories ON id = repository WHERE digest = ? ORDER BY name`,
    ),
    storeBlob: prepare<[{ digest: string; size: number; at: number }]>(
      `INSERT INTO stored_blobs (digest, size, stored_at, used_at, checked_at) VALUES (@digest, @size, @at, @at, @at)
       ON CONFLICT DO UPDATE SET size = excluded.size, used_at = excluded.used_at, checked_at = excluded.checked_at`,
    ),
    // What an upstream's repository names too stays, as content of the cache.
    releaseBlob: prepare<[string, string, string]>(
      `DELETE FROM stored_blobs WHERE digest = ?
         AND NOT EXISTS (SELECT 1 FROM hosted_blobs WHERE digest = ?)
         AND NOT EXISTS (SELECT 1 FROM repository_blobs WHERE digest = ?)`,
    ),
    unheldBlobs: prepare<[], { digest: string }>(
      `SELECT digest FROM stored_blobs WHERE digest NOT IN (SELECT digest FROM hosted_blobs)
         AND digest NOT IN (SELECT digest FROM repository_blobs)`,
    ),
    touchBlob: prepare<[number, string, string]>(
      `UPDATE hosted_blobs SET touched_at = max(touched_at, ?) WHERE repository = ${repositoryOf} AND digest = ?`,
    ),

    findManifest: prepare<[string, string], { media_type: string; bytes: Buffer }>(
      `SELECT media_type, bytes FROM hosted_manifests WHERE repository = ${repositoryOf} AND digest = ?`,
    ),
    findSubject: prepare<[string, string], { subject: string | null }>(
      `SELECT subject FROM hosted_manifests WHERE repository = ${repositoryOf} AND digest = ?`,
    ),
    hasManifest: prepare<[number, string]>('SELECT 1 FROM hosted_manifests WHERE repository = ? AND digest = ?'),
    putManifest: prepare<[number, string, string, string | null, string | null, string | null, Uint8Array, number]>(
      `INSERT INTO hosted_manifests (repository, digest, media_type, artifact_type, annotations, subject, bytes, touched_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET media_type = excluded.media_type, artifact_type = excluded.artifact_type,
         touched_at = excluded.touched_at`,
    ),
    deleteManifest: prepare<[number, string]>('DELETE FROM hosted_manifests WHERE repository = ? AND digest = ?'),
    touchManifest: prepare<[number, string, string]>(
      `UPDATE hosted_manifests SET touched_at = max(touched_at, ?) WHERE repository = ${repositoryOf} AND digest = ?`,
    ),
    touchManifestIn: prepare<[number, number, string]>(
      'UPDATE hosted_manifests SET touched_at = max(touched_at, ?) WHERE repository = ? AND digest = ?',
    ),
    touchChildren: prepare<[number, number, number, string]>(
      `UPDATE hosted_manifests SET touched_at = max(touched_at, ?) WHERE repository = ?
         AND digest IN (SELECT target FROM hosted_references WHERE repository = ? AND manifest = ?)`,
    ),
    listReferrers: prepare<
      [string, string],
      { digest: string; media_type: string; size: number; artifact_type: string | null; annotations: string | null }
    >(
      `SELECT digest, media_type, length(bytes) AS size, artifact_type, annotations FROM hosted_manifests
       WHERE repository = ${repositoryOf} AND subject = ? ORDER BY rowid`,
    ),
    putReference: prepare<[number, string, string]>(
      'INSERT INTO hosted_references (repository, manifest, target) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    deleteReferences: prepare<[number, string]>('DELETE FROM hosted_references WHERE repository = ? AND manifest = ?'),

    findTag: prepare<[string, string], { digest: string }>(
      `SELECT digest FROM hosted_tags WHERE repository = ${repositoryOf} AND tag = ?`,
    ),
    putTag: prepare<[number, string, string, number]>(
      `INSERT INTO hosted_tags (repository, tag, digest, pushed_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET digest = excluded.digest, pushed_at = excluded.pushed_at`,
    ),
    deleteTag: prepare<[number, string]>('DELETE FROM hosted_tags WHERE repository = ? AND tag = ?'),
    deleteTagIf: prepare<[number, string, string]>(
      'DELETE FROM hosted_tags WHERE repository = ? AND tag = ? AND digest = ?',
    ),
    deleteTagsOf: prepare<[number, string]>('DELETE FROM hosted_tags WHERE repository = ? AND digest = ?'),
    listTags: prepare<[string, string, number], { tag: string }>(
      `SELECT tag FROM hosted_tags WHERE repository = ${repositoryOf} AND tag > ? ORDER BY tag LIMIT ?`,
    ),
    listTagsOf: prepare<[string, string], { tag: string }>(
      `SELECT tag FROM hosted_tags WHERE repository = ${repositoryOf} AND digest = ? ORDER BY tag`,
    ),
    listTagFacts: prepare<[string], { tag: string; digest: string; pushed_at: number }>(
      `SELECT tag, digest, pushed_at FROM hosted_tags WHERE repository = ${repositoryOf} ORDER BY pushed_at DESC, tag`,
    ),

    forgetLive: prepare<[]>('DELETE FROM temp.live'),
    // From tags, and from what was touched lately, along every edge: a manifest to what it names and to its subject, and a
    // subject to what refers to it.
    findLive: prepare<[{ repository: number; before: number; keep: string }]>(
      `WITH RECURSIVE live (digest) AS (
         SELECT digest FROM hosted_tags WHERE repository = @repository
         UNION SELECT value FROM json_each(@keep)
         UNION SELECT digest FROM hosted_manifests WHERE repository = @repository AND touched_at >= @before
         UNION SELECT target FROM live JOIN hosted_references ON repository = @repository AND manifest = live.digest
         UNION SELECT subject FROM live JOIN hosted_manifests AS m ON m.repository = @repository
           AND m.digest = live.digest WHERE subject IS NOT NULL
         UNION SELECT m.digest FROM live JOIN hosted_manifests AS m ON m.repository = @repository
           AND m.subject = live.digest
       )
       INSERT INTO temp.live SELECT digest FROM live`,
    ),
    unreachable: prepare<[number], { digest: string; size: number }>(
      `SELECT digest, length(bytes) AS size FROM hosted_manifests
       WHERE repository = ? AND digest NOT IN (SELECT digest FROM temp.live)`,
    ),
    unnamedBlobs: prepare<[number, number], { digest: string; size: number }>(
      `SELECT digest, size FROM hosted_blobs
       WHERE repository = ? AND touched_at < ? AND digest NOT IN (SELECT digest FROM temp.live)`,
    ),
    deleteBlobIn: prepare<[number, string]>('DELETE FROM hosted_blobs WHERE repository = ? AND digest = ?'),
  }
}

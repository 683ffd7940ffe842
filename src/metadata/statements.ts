import type { Database } from 'better-sqlite3'

export type Statements = ReturnType<typeof statements>

/** Every statement, prepared once. */
export function statements(database: Database) {
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
  type CandidateRow = { digest: string; size: number; used_at: number; upstreams: string | null }
  type StoredRow = { digest: string; size: number; used_at: number }
  return {
    findRepository: prepare<[string, string], { id: number }>(
      'SELECT id FROM repositories WHERE registry = ? AND name = ?',
    ),
    addRepository: prepare<[string, string], { id: number }>(
      `INSERT INTO repositories (registry, name) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET name = excluded.name RETURNING id`,
    ),

    findTag: prepare<[number, string], { digest: string; checked_at: number }>(
      'SELECT digest, checked_at FROM tags WHERE repository = ? AND tag = ?',
    ),
    putTag: prepare<[number, string, string, number]>(
      `INSERT INTO tags (repository, tag, digest, checked_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET digest = excluded.digest, checked_at = excluded.checked_at`,
    ),
    deleteTag: prepare<[number, string]>('DELETE FROM tags WHERE repository = ? AND tag = ?'),
    listTags: prepare<[number], { tag: string }>('SELECT tag FROM tags WHERE repository = ? ORDER BY tag'),

    ...historyStatements(database),

    findManifest: prepare<[number, string], { media_type: string; bytes: Buffer }>(
      `SELECT media_type, bytes FROM repository_manifests JOIN manifests USING (digest)
       WHERE repository = ? AND digest = ?`,
    ),
    putManifest: prepare<[string, string, Uint8Array, number]>(
      `INSERT INTO manifests (digest, media_type, bytes, used_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET used_at = excluded.used_at`,
    ),
    linkManifest: prepare<[number, string]>(
      'INSERT INTO repository_manifests (repository, digest) VALUES (?, ?) ON CONFLICT DO NOTHING',
    ),

    findBlobSize: prepare<[number, string], { size: number }>(
      'SELECT size FROM repository_blobs WHERE repository = ? AND digest = ?',
    ),
    putBlobSize: prepare<[number, string, number]>(
      `INSERT INTO repository_blobs (repository, digest, size) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET size = excluded.size`,
    ),

    blobStored: prepare<[{ digest: string; size: number; at: number }]>(
      `INSERT INTO stored_blobs (digest, size, stored_at, used_at, checked_at) VALUES (@digest, @size, @at, @at, @at)
       ON CONFLICT DO UPDATE SET size = @size, stored_at = @at, used_at = @at, checked_at = @at`,
    ),
    blobRemoved: prepare<[string]>('DELETE FROM stored_blobs WHERE digest = ?'),
    findStoredBlob: prepare<[string], StoredRow>('SELECT digest, size, used_at FROM stored_blobs WHERE digest = ?'),
    listStoredBlobs: prepare<[number], StoredRow>(
      `SELECT digest, size, used_at FROM stored_blobs
       WHERE digest NOT IN (SELECT digest FROM hosted_blobs) ORDER BY used_at LIMIT ?`,
    ),
    storedBytes: prepare<[], { bytes: number }>(
      'SELECT total(size) AS bytes FROM stored_blobs WHERE digest NOT IN (SELECT digest FROM hosted_blobs)',
    ),
    blobUsed: prepare<[number, string]>('UPDATE stored_blobs SET used_at = max(used_at, ?) WHERE digest = ?'),
    manifestUsed: prepare<[number, string]>('UPDATE manifests SET used_at = max(used_at, ?) WHERE digest = ?'),
    nextToCheck: prepare<[number], { digest: string }>(
      'SELECT digest FROM stored_blobs WHERE checked_at < ? ORDER BY checked_at LIMIT 1',
    ),
    blobChecked: prepare<[number, string]>('UPDATE stored_blobs SET checked_at = ? WHERE digest = ?'),

    evictableBlobs: prepare<[number], CandidateRow>(
      `SELECT digest, size, used_at, (
         SELECT group_concat(DISTINCT registry) FROM repository_blobs b JOIN repositories r ON r.id = b.repository
         WHERE b.digest = stored_blobs.digest) AS upstreams
       FROM stored_blobs WHERE digest NOT IN (SELECT digest FROM hosted_blobs) ORDER BY used_at LIMIT ?`,
    ),
    manifestBytes: prepare<[], { bytes: number }>('SELECT total(length(bytes)) AS bytes FROM manifests'),
    evictableManifests: prepare<[number], CandidateRow>(
      `SELECT digest, length(bytes) AS size, used_at, (
         SELECT group_concat(DISTINCT registry) FROM repository_manifests m JOIN repositories r ON r.id = m.repository
         WHERE m.digest = manifests.digest) AS upstreams
       FROM manifests ORDER BY used_at LIMIT ?`,
    ),
    removeTagsOf: prepare<[string]>('DELETE FROM tags WHERE digest = ?'),
    unlinkManifest: prepare<[string]>('DELETE FROM repository_manifests WHERE digest = ?'),
    removeManifest: prepare<[string]>('DELETE FROM manifests WHERE digest = ?'),
    allTags: prepare<[], { registry: string; name: string; tag: string; digest: string }>(
      'SELECT registry, name, tag, digest FROM tags JOIN repositories ON id = repository',
    ),
  }
}

function historyStatements(database: Database) {
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
  return {
    tagHistory: prepare<[number, string, number], { digest: string; seen_at: number }>(
      'SELECT digest, seen_at FROM tag_history WHERE repository = ? AND tag = ? ORDER BY seen_at DESC LIMIT ?',
    ),
    noteTag: prepare<[number, string, number, string]>(
      'INSERT OR REPLACE INTO tag_history (repository, tag, seen_at, digest) VALUES (?, ?, ?, ?)',
    ),
    tagsOf: prepare<[number, string], { tag: string }>(
      'SELECT DISTINCT tag FROM tag_history WHERE repository = ? AND digest = ? ORDER BY tag',
    ),

    listWithheld: prepare<[number], { digest: string; tag: string; until: number }>(
      'SELECT digest, tag, until FROM withheld WHERE repository = ?',
    ),
    withhold: prepare<[number, string, string, number]>(
      `INSERT INTO withheld (repository, digest, tag, until) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET tag = excluded.tag, until = excluded.until`,
    ),
    release: prepare<[number, string]>('DELETE FROM withheld WHERE repository = ? AND digest = ?'),

    findVisibility: prepare<[number], { public: number; checked_at: number }>(
      'SELECT public, checked_at FROM visibility WHERE repository = ?',
    ),
    putVisibility: prepare<[number, number, number]>(
      `INSERT INTO visibility (repository, public, checked_at) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET public = excluded.public, checked_at = excluded.checked_at`,
    ),

    findList: prepare<[number, string, string], { json: string; checked_at: number }>(
      'SELECT json, checked_at FROM lists WHERE repository = ? AND kind = ? AND subject = ?',
    ),
    putList: prepare<[number, string, string, string, number]>(
      `INSERT INTO lists (repository, kind, subject, json, checked_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET json = excluded.json, checked_at = excluded.checked_at`,
    ),
  }
}

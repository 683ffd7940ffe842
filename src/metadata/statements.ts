import type { Database } from 'better-sqlite3'

export type Statements = ReturnType<typeof statements>

/** Every statement, prepared once. */
export function statements(database: Database) {
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
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

    findManifest: prepare<[number, string], { media_type: string; bytes: Buffer }>(
      `SELECT media_type, bytes FROM repository_manifests JOIN manifests USING (digest)
       WHERE repository = ? AND digest = ?`,
    ),
    putManifest: prepare<[string, string, Uint8Array]>(
      'INSERT INTO manifests (digest, media_type, bytes) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
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

    blobStored: prepare<[string, number, number, number]>(
      `INSERT INTO stored_blobs (digest, size, stored_at, used_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET size = excluded.size, stored_at = excluded.stored_at, used_at = excluded.used_at`,
    ),
    blobRemoved: prepare<[string]>('DELETE FROM stored_blobs WHERE digest = ?'),
    findStoredBlob: prepare<[string], StoredRow>('SELECT digest, size, used_at FROM stored_blobs WHERE digest = ?'),
    listStoredBlobs: prepare<[number], StoredRow>(
      'SELECT digest, size, used_at FROM stored_blobs ORDER BY used_at LIMIT ?',
    ),
    storedBytes: prepare<[], { bytes: number }>('SELECT total(size) AS bytes FROM stored_blobs'),
    blobUsed: prepare<[number, string]>('UPDATE stored_blobs SET used_at = max(used_at, ?) WHERE digest = ?'),
  }
}

import type { Database } from 'better-sqlite3'
import type { RepositorySearch, TagSearch } from './browsing.ts'

export interface RepositoryRow {
  name: string
  registry: string | null
  id: number
  pulls: number | null
  pulled_at: number | null
  tags: number
  updated_at: number | null
}

export interface TagRow {
  tag: string
  digest: string
  updated_at: number | null
  checked_at: number | null
  newest: string | null
  pinned: string | null
  pulls: number | null
  pulled_at: number | null
}

/** Repositories of both kinds under their whole names. */
const every = `
  SELECT name, NULL AS registry, id FROM hosted_repositories r
    WHERE EXISTS (SELECT 1 FROM hosted_manifests WHERE repository = r.id)
  UNION ALL
  SELECT registry || '/' || name, registry, id FROM repositories r
    WHERE EXISTS (SELECT 1 FROM repository_manifests WHERE repository = r.id)`

const one = `
  SELECT name, NULL AS registry, id FROM hosted_repositories r
    WHERE name = @name AND EXISTS (SELECT 1 FROM hosted_manifests WHERE repository = r.id)
  UNION ALL
  SELECT registry || '/' || name, registry, id FROM repositories r
    WHERE registry = @registry AND name = @rest AND EXISTS (SELECT 1 FROM repository_manifests WHERE repository = r.id)`

const counted = (from: string) => `
  SELECT r.*, p.pulls, p.pulled_at,
    CASE WHEN registry IS NULL THEN (SELECT count(*) FROM hosted_tags WHERE repository = r.id)
         ELSE (SELECT count(*) FROM tags WHERE repository = r.id) END AS tags,
    CASE WHEN registry IS NULL THEN (SELECT max(pushed_at) FROM hosted_tags WHERE repository = r.id)
         ELSE (SELECT max(seen_at) FROM tag_history WHERE repository = r.id) END AS updated_at
  FROM (${from}) r LEFT JOIN pulls p ON p.name = r.name AND p.tag = ''`

const repositoryOrders: Record<RepositorySearch['order'], string> = {
  name: 'name',
  pulls: 'pulls DESC NULLS LAST, name',
  updated: 'updated_at DESC NULLS LAST, name',
}

const ofPulls = (column: string) => `(SELECT ${column} FROM pulls WHERE name = @name AND pulls.tag = t.tag)`

/** What tags are sorted by; where it is the name, all of them stand in order already. */
const tagOrders: Record<TagSearch['order'], (updated: string) => string> = {
  name: () => 't.tag',
  updated: (updated) => updated,
  pulled: () => ofPulls('pulled_at'),
  pulls: () => ofPulls('pulls'),
}

/** Tags of a repository as they are kept, and what the rest of a row is made of. */
interface TagRows {
  readonly kept: string
  readonly updated: string
  readonly columns: string
  readonly joined: string
}

const hostedTags: TagRows = {
  kept: 'hosted_tags',
  updated: 't.pushed_at',
  columns: 'NULL AS checked_at, NULL AS newest, NULL AS pinned',
  joined: '',
}

const newestOf = (column: string) => `
  (SELECT ${column} FROM tag_history h WHERE h.repository = t.repository AND h.tag = t.tag ORDER BY seen_at DESC LIMIT 1)`

/** Those that are pinned are there, whatever became of what the upstream said of them. */
const kept = `(
  SELECT repository, tag, digest, checked_at FROM tags WHERE repository = @id
  UNION ALL
  SELECT @id, tag, digest, 0 FROM tag_pins WHERE registry = @registry AND tag_pins.name = @rest
    AND NOT EXISTS (SELECT 1 FROM tags WHERE repository = @id AND tags.tag = tag_pins.tag))`

const cachedTags: TagRows = {
  kept,
  updated: newestOf('seen_at'),
  columns: `t.checked_at, ${newestOf('digest')} AS newest, pin.digest AS pinned`,
  joined: 'LEFT JOIN tag_pins pin ON pin.registry = @registry AND pin.name = @rest AND pin.tag = t.tag',
}

const rowsOf = ({ updated, columns, joined }: TagRows, from: string) => `
  SELECT t.tag, t.digest, ${updated} AS updated_at, ${columns}, p.pulls, p.pulled_at
  FROM ${from} t LEFT JOIN pulls p ON p.name = @name AND p.tag = t.tag ${joined}`

const oneOf = (rows: TagRows) => `${rowsOf(rows, rows.kept)} WHERE t.repository = @id AND t.tag = @tag`

const searched = `AND (@text = '' OR instr(lower(t.tag), lower(@text)) > 0)`

export type BrowsingStatements = ReturnType<typeof browsingStatements>

/** Every statement of Browsing; those that sort are prepared once for each order. */
export function browsingStatements(database: Database) {
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
  type Page = { words: string; limit: number; offset: number }
  type Named = { name: string; registry: string; rest: string }
  type InRepository = Named & { id: number }
  const repositories = (order: string) =>
    prepare<[Page], RepositoryRow>(
      `WITH found AS (SELECT * FROM (${every}) e
         WHERE NOT EXISTS (SELECT 1 FROM json_each(@words) w WHERE instr(e.name, w.value) = 0))
       ${counted('SELECT * FROM found')} ORDER BY ${order} LIMIT @limit OFFSET @offset`,
    )
  // The rest of a row is looked up for those of the page alone.
  const tags = (rows: TagRows, key: string, order: string) =>
    prepare<[InRepository & { text: string; limit: number; offset: number }], TagRow>(
      `WITH page AS (
         SELECT t.*, ${key} AS key FROM ${rows.kept} t WHERE repository = @id ${searched}
         ORDER BY ${order} LIMIT @limit OFFSET @offset)
       ${rowsOf(rows, 'page')} ORDER BY ${order}`,
    )
  const sorted = (rows: TagRows) => (order: TagSearch['order'], descending: boolean) => {
    const direction = descending ? 'DESC' : 'ASC'
    const by = order === 'name' ? `t.tag ${direction}` : `key ${direction} NULLS LAST, t.tag`
    return tags(rows, tagOrders[order](rows.updated), by)
  }
  return {
    repositories: {
      name: repositories(repositoryOrders.name),
      pulls: repositories(repositoryOrders.pulls),
      updated: repositories(repositoryOrders.updated),
    },
    repository: prepare<[Named], RepositoryRow>(counted(one)),
    place: prepare<[Named], { id: number; registry: string | null }>(one),
    hostedTags: sorted(hostedTags),
    cachedTags: sorted(cachedTags),
    countHostedTags: prepare<[InRepository & { text: string }], { count: number }>(
      `SELECT count(*) AS count FROM hosted_tags t WHERE repository = @id ${searched}`,
    ),
    countCachedTags: prepare<[InRepository & { text: string }], { count: number }>(
      `SELECT count(*) AS count FROM ${kept} t WHERE repository = @id ${searched}`,
    ),
    hostedTag: prepare<[InRepository & { tag: string }], TagRow>(oneOf(hostedTags)),
    cachedTag: prepare<[InRepository & { tag: string }], TagRow>(oneOf(cachedTags)),

    hostedManifest: prepare<[number, string], { bytes: Buffer }>(
      'SELECT bytes FROM hosted_manifests WHERE repository = ? AND digest = ?',
    ),
    cachedManifest: prepare<[number, string], { bytes: Buffer }>(
      'SELECT bytes FROM repository_manifests JOIN manifests USING (digest) WHERE repository = ? AND digest = ?',
    ),
    hostedAmong: prepare<[number, string], { digest: string }>(
      `SELECT digest FROM hosted_manifests WHERE repository = ? AND digest IN (SELECT value FROM json_each(?))`,
    ),
    cachedAmong: prepare<[number, string], { digest: string }>(
      `SELECT digest FROM repository_manifests WHERE repository = ? AND digest IN (SELECT value FROM json_each(?))`,
    ),
    storedOfHosted: prepare<[number], { bytes: number }>(
      'SELECT total(size) AS bytes FROM hosted_blobs WHERE repository = ?',
    ),
    storedOfCached: prepare<[number], { bytes: number }>(
      `SELECT total(s.size) AS bytes FROM repository_blobs b JOIN stored_blobs s USING (digest) WHERE b.repository = ?`,
    ),
    storedAmong: prepare<[string], { digest: string }>(
      'SELECT digest FROM stored_blobs WHERE digest IN (SELECT value FROM json_each(?))',
    ),
    keptByUpstream: prepare<[], { registry: string; bytes: number; blobs: number }>(
      `SELECT registry, total(size) AS bytes, count(*) AS blobs FROM (
         SELECT DISTINCT registry, s.digest, s.size FROM repository_blobs b
           JOIN stored_blobs s USING (digest) JOIN repositories r ON r.id = b.repository)
       GROUP BY registry ORDER BY bytes DESC`,
    ),
    findHolder: prepare<[string], { name: string }>(
      `SELECT registry || '/' || name AS name FROM repository_blobs JOIN repositories ON id = repository
       WHERE digest = ? ORDER BY id LIMIT 1`,
    ),

    addPulls: prepare<[string, string, number, number]>(
      `INSERT INTO pulls (name, tag, pulls, pulled_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET pulls = pulls + excluded.pulls, pulled_at = max(pulled_at, excluded.pulled_at)`,
    ),
  }
}

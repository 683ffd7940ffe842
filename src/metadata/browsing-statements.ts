import type { Database } from 'better-sqlite3'
import type { RepositorySearch, TagSearch } from './browsing.ts'
import {
  cachedPage,
  cachedTags,
  hostedPage,
  hostedTags,
  kept,
  mainCachedTag,
  mainHostedTag,
  searched,
} from './tag-queries.ts'

export interface RepositoryRow {
  name: string
  registry: string | null
  id: number
  pulls: number | null
  pulled_at: number | null
  tags: number
  updated_at: number | null
  description: string | null
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

/** What somebody wrote in one line, else what the image says; null where neither says anything. */
const described = (repository: string) => `
  coalesce((SELECT nullif(short, '') FROM descriptions d WHERE d.name = ${repository}.name),
    (SELECT nullif(line, '') FROM image_lines l WHERE l.name = ${repository}.name))`

const counted = (from: string) => `
  SELECT r.*, p.pulls, p.pulled_at, ${described('r')} AS description,
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

export type BrowsingStatements = ReturnType<typeof browsingStatements>

/** Every statement of Browsing; those that sort are prepared once for each order. */
export function browsingStatements(database: Database) {
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
  type Page = { words: string; limit: number; offset: number }
  type Named = { name: string; registry: string; rest: string }
  type InRepository = Named & { id: number }
  const repositories = (order: string) =>
    prepare<[Page], RepositoryRow>(
      `WITH found AS (SELECT e.*,
           EXISTS (SELECT 1 FROM json_each(@words) w WHERE instr(e.name, w.value) = 0) AS by_description FROM (${every}) e
         WHERE NOT EXISTS (SELECT 1 FROM json_each(@words) w WHERE instr(e.name, w.value) = 0
           AND instr(lower(coalesce(${described('e')}, '')), w.value) = 0))
       ${counted('SELECT * FROM found')} ORDER BY by_description, ${order} LIMIT @limit OFFSET @offset`,
    )
  const sorted = (page: typeof hostedPage) => (order: TagSearch['order'], descending: boolean) =>
    prepare<[InRepository & { text: string; limit: number; offset: number }], TagRow>(
      page(order, descending ? 'DESC' : 'ASC'),
    )
  return {
    repositories: {
      name: repositories(repositoryOrders.name),
      pulls: repositories(repositoryOrders.pulls),
      updated: repositories(repositoryOrders.updated),
    },
    repository: prepare<[Named], RepositoryRow>(counted(one)),
    place: prepare<[Named], { id: number; registry: string | null }>(one),
    hostedTags: sorted(hostedPage),
    cachedTags: sorted(cachedPage),
    countHostedTags: prepare<[InRepository & { text: string }], { count: number }>(
      `SELECT count(*) AS count FROM hosted_tags t WHERE repository = @id AND ${searched}`,
    ),
    countCachedTags: prepare<[InRepository & { text: string }], { count: number }>(
      `SELECT count(*) AS count FROM ${kept} t WHERE ${searched}`,
    ),
    hostedTag: prepare<[InRepository & { tag: string }], TagRow>(`${hostedTags} AND t.tag = @tag`),
    mainHostedTag: prepare<[InRepository], { tag: string }>(mainHostedTag),
    mainCachedTag: prepare<[InRepository], { tag: string }>(mainCachedTag),
    cachedTag: prepare<[InRepository & { tag: string }], TagRow>(`${cachedTags(kept)} WHERE t.tag = @tag`),

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
    storedOf: prepare<[number], { digest: string }>(
      'SELECT digest FROM repository_blobs JOIN stored_blobs USING (digest) WHERE repository = ? ORDER BY digest',
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

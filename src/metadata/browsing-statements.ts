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

const tagOrders: Record<TagSearch['order'], string> = {
  name: 't.tag',
  updated: 'updated_at',
  pulled: 'pulled_at',
  pulls: 'pulls',
}

const hostedTags = `
  SELECT t.tag, t.digest, t.pushed_at AS updated_at, NULL AS checked_at, NULL AS newest, NULL AS pinned,
    p.pulls, p.pulled_at
  FROM hosted_tags t LEFT JOIN pulls p ON p.name = @name AND p.tag = t.tag
  WHERE t.repository = @id`

const newestOf = (column: string) => `
  (SELECT ${column} FROM tag_history h WHERE h.repository = t.repository AND h.tag = t.tag ORDER BY seen_at DESC LIMIT 1)`

/** Those that are pinned are there, whatever became of what the upstream said of them. */
const kept = `(
  SELECT repository, tag, digest, checked_at FROM tags WHERE repository = @id
  UNION ALL
  SELECT @id, tag, digest, 0 FROM tag_pins WHERE registry = @registry AND tag_pins.name = @rest
    AND NOT EXISTS (SELECT 1 FROM tags WHERE repository = @id AND tags.tag = tag_pins.tag))`

const cachedTags = `
  SELECT t.tag, t.digest, ${newestOf('seen_at')} AS updated_at, t.checked_at, ${newestOf('digest')} AS newest,
    pin.digest AS pinned, p.pulls, p.pulled_at
  FROM ${kept} t LEFT JOIN pulls p ON p.name = @name AND p.tag = t.tag
    LEFT JOIN tag_pins pin ON pin.registry = @registry AND pin.name = @rest AND pin.tag = t.tag
  WHERE t.repository = @id`

/** What is named after content, such as the signatures of older tools, stands for nothing but that. */
const ofPeople = `tag NOT GLOB 'sha256-*'`

const mainHostedTag = `
  SELECT tag FROM hosted_tags WHERE repository = @id AND tag = 'latest' UNION ALL
  SELECT tag FROM (SELECT tag FROM hosted_tags WHERE repository = @id AND ${ofPeople} ORDER BY pushed_at DESC, tag DESC LIMIT 1)
  LIMIT 1`

const mainCachedTag = `
  SELECT tag FROM tags WHERE repository = @id AND tag = 'latest' UNION ALL
  SELECT tag FROM (SELECT tag FROM tag_history JOIN tags USING (repository, tag)
    WHERE repository = @id AND ${ofPeople} ORDER BY seen_at DESC, tag DESC LIMIT 1)
  LIMIT 1`

const searched = `AND (@text = '' OR instr(lower(t.tag), lower(@text)) > 0)`

const hostedPage = (by: string, _order: TagSearch['order']) =>
  `${hostedTags} ${searched} ORDER BY ${by} LIMIT @limit OFFSET @offset`

/** What is not sorted by is looked up for the tags of the page alone: thousands of others would wait for it. */
const cachedPage = (by: string, order: TagSearch['order']) => `
  SELECT tag, digest, ${newestOf('seen_at')} AS updated_at, checked_at, ${newestOf('digest')} AS newest,
    (SELECT digest FROM tag_pins pin WHERE pin.registry = @registry AND pin.name = @rest AND pin.tag = t.tag) AS pinned,
    pulls, pulled_at
  FROM (SELECT t.*, ${order === 'updated' ? newestOf('seen_at') : 'NULL'} AS updated_at, p.pulls, p.pulled_at
    FROM ${kept} t LEFT JOIN pulls p ON p.name = @name AND p.tag = t.tag
    WHERE t.repository = @id ${searched} ORDER BY ${by} LIMIT @limit OFFSET @offset) t
  ORDER BY ${by}`

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
  const sorted = (page: typeof hostedPage) => (order: TagSearch['order'], descending: boolean) => {
    const direction = descending ? 'DESC' : 'ASC'
    const by = `${tagOrders[order]} ${direction} NULLS LAST${order === 'name' ? '' : `, t.tag ${direction}`}`
    return prepare<[InRepository & { text: string; limit: number; offset: number }], TagRow>(page(by, order))
  }
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
      `SELECT count(*) AS count FROM hosted_tags t WHERE repository = @id ${searched}`,
    ),
    countCachedTags: prepare<[InRepository & { text: string }], { count: number }>(
      `SELECT count(*) AS count FROM ${kept} t WHERE repository = @id ${searched}`,
    ),
    hostedTag: prepare<[InRepository & { tag: string }], TagRow>(`${hostedTags} AND t.tag = @tag`),
    mainHostedTag: prepare<[{ id: number }], { tag: string }>(mainHostedTag),
    mainCachedTag: prepare<[{ id: number }], { tag: string }>(mainCachedTag),
    cachedTag: prepare<[InRepository & { tag: string }], TagRow>(`${cachedTags} AND t.tag = @tag`),

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

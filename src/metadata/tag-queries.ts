import type { TagSearch } from './browsing.ts'

// Statements that read tags, in SQL. Bound: @id, the repository's; @name, the whole name; @registry and @rest, its two parts.

export const hostedTags = `
  SELECT t.tag, t.digest, t.pushed_at AS updated_at, NULL AS checked_at, NULL AS newest, NULL AS pinned,
    p.pulls, p.pulled_at
  FROM hosted_tags t LEFT JOIN pulls p ON p.name = @name AND p.tag = t.tag
  WHERE t.repository = @id`

const newestOf = (column: string) => `
  (SELECT ${column} FROM tag_history h WHERE h.repository = @id AND h.tag = t.tag ORDER BY seen_at DESC LIMIT 1)`

/** Those that are pinned are there, whatever became of what the upstream said of them. */
export const kept = `(
  SELECT tag FROM tags WHERE repository = @id
  UNION ALL
  SELECT tag FROM tag_pins WHERE registry = @registry AND tag_pins.name = @rest
    AND NOT EXISTS (SELECT 1 FROM tags WHERE repository = @id AND tags.tag = tag_pins.tag))`

export const cachedTags = (names: string) => `
  SELECT t.tag, coalesce(c.digest, pin.digest) AS digest, ${newestOf('seen_at')} AS updated_at,
    coalesce(c.checked_at, 0) AS checked_at, ${newestOf('digest')} AS newest, pin.digest AS pinned, p.pulls, p.pulled_at
  FROM ${names} t LEFT JOIN tags c ON c.repository = @id AND c.tag = t.tag
    LEFT JOIN tag_pins pin ON pin.registry = @registry AND pin.name = @rest AND pin.tag = t.tag
    LEFT JOIN pulls p ON p.name = @name AND p.tag = t.tag`

/** What is named after content, such as the signatures of older tools, stands for nothing but that. */
const ofPeople = `tag NOT GLOB 'sha256-*'`

export const mainHostedTag = `
  SELECT tag FROM hosted_tags WHERE repository = @id AND tag = 'latest' UNION ALL
  SELECT tag FROM (SELECT tag FROM hosted_tags WHERE repository = @id AND ${ofPeople} ORDER BY pushed_at DESC, tag DESC LIMIT 1)
  LIMIT 1`

export const mainCachedTag = `
  SELECT tag FROM tags WHERE repository = @id AND tag = 'latest' UNION ALL
  SELECT tag FROM tag_pins WHERE registry = @registry AND name = @rest AND tag = 'latest' UNION ALL
  SELECT tag FROM (SELECT tag FROM tag_history JOIN tags USING (repository, tag)
    WHERE repository = @id AND ${ofPeople} ORDER BY seen_at DESC, tag DESC LIMIT 1) UNION ALL
  SELECT tag FROM (SELECT tag FROM tag_pins WHERE registry = @registry AND name = @rest
    ORDER BY pinned_at DESC, tag DESC LIMIT 1)
  LIMIT 1`

export const searched = `(@text = '' OR instr(lower(t.tag), lower(@text)) > 0)`

type Order = TagSearch['order']
type Direction = 'ASC' | 'DESC'

const sortedBy = (what: string, direction: Direction) =>
  what === 't.tag' ? `t.tag ${direction}` : `${what} ${direction} NULLS LAST, t.tag ${direction}`

const hostedOrders = { name: 't.tag', updated: 't.pushed_at', pulled: 'p.pulled_at', pulls: 'p.pulls' }

export const hostedPage = (order: Order, direction: Direction) => `
  ${hostedTags} AND ${searched} ORDER BY ${sortedBy(hostedOrders[order], direction)} LIMIT @limit OFFSET @offset`

const pullsOf = (column: string) => `(SELECT ${column} FROM pulls p WHERE p.name = @name AND p.tag = t.tag)`

const cachedOrders = {
  name: 't.tag',
  updated: newestOf('seen_at'),
  pulled: pullsOf('pulled_at'),
  pulls: pullsOf('pulls'),
}

/** The names are sorted alone, and all else is looked up for those of the page: thousands of others would wait for it. */
export const cachedPage = (order: Order, direction: Direction) => {
  const by = sortedBy(order === 'name' ? 't.tag' : 'sorting', direction)
  return `
    WITH page AS MATERIALIZED (SELECT t.tag, ${cachedOrders[order]} AS sorting FROM ${kept} t WHERE ${searched}
      ORDER BY ${by} LIMIT @limit OFFSET @offset)
    ${cachedTags('page')} ORDER BY ${by}`
}

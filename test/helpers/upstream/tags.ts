import type { Repository } from '../content.ts'
import { errorAnswer, jsonAnswer, type Answer } from './answer.ts'
import type { Quirks } from './quirks.ts'

/** One page of a repository's tags, in lexical order. */
export function listTags(repository: Repository, query: URLSearchParams, quirks: Quirks, origin: string): Answer {
  const asked = quirks.ownTagList ? null : query.get('n')
  const size = asked === null ? quirks.pageSize : Number(asked)
  if (size !== undefined && !(Number.isInteger(size) && size >= 0)) {
    return errorAnswer(400, 'PAGINATION_NUMBER_INVALID', `n must be a number, saw ${asked}`)
  }
  if (Number(asked) > (quirks.mostTags ?? Infinity)) {
    return errorAnswer(405, 'UNSUPPORTED', `n must be at most ${quirks.mostTags}`)
  }
  const after = startOf(query, quirks)
  const rest = [...repository.tags.keys()].sort().filter((tag) => after === undefined || tag > after)
  const tags = rest.slice(0, size)
  const last = tags.at(-1)
  const more = tags.length < rest.length && last !== undefined && quirks.paging !== 'noLink'
  const link = more ? { link: nextLink(repository.name, last, size ?? 0, quirks, origin) } : undefined
  const own = quirks.ownTagList && { child: [], manifest: {} }
  return jsonAnswer(200, { name: repository.name, tags, ...own }, link)
}

function startOf(query: URLSearchParams, quirks: Quirks): string | undefined {
  if (quirks.paging !== 'opaque') return query.get('last') ?? undefined
  const cursor = query.get('next_page')
  return cursor === null ? undefined : Buffer.from(cursor, 'base64url').toString()
}

function nextLink(name: string, last: string, n: number, quirks: Quirks, origin: string): string {
  const from =
    quirks.paging === 'opaque'
      ? `next_page=${Buffer.from(last).toString('base64url')}`
      : `last=${encodeURIComponent(last)}`
  const base = quirks.absoluteLink ? origin : ''
  return `<${base}/v2/${name}/tags/list?n=${n}&${from}>; rel="next"`
}

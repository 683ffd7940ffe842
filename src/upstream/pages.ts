import { UpstreamError } from '../oci/errors.ts'
import type { Answer } from './transport.ts'

const maxPages = 500
const maxPageSize = 16 * 1024 * 1024

/** The JSON of a paged list, page by page. `rel="next"` is followed as it came (cursors are opaque), on the same host only. */
export async function* pagesOf(
  upstream: string,
  first: URL,
  ask: (url: URL) => Promise<Answer>,
): AsyncGenerator<unknown> {
  let next: URL | undefined = first
  for (let page = 0; next && page < maxPages; page++) {
    const answer: Answer = await ask(next)
    yield parse(upstream, await answer.bytes(maxPageSize))
    next = nextPage(answer.headers['link'], next)
  }
}

function parse(upstream: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) ?? {}
  } catch (cause) {
    throw new UpstreamError('bad-answer', `upstream ${upstream} sent a list that is no JSON`, { cause })
  }
}

/** The `next` link of a Link header (RFC 8288); undefined when there is none, or when it leads to another host. */
export function nextPage(header: string | string[] | undefined, base: URL): URL | undefined {
  const text = Array.isArray(header) ? header.join(', ') : (header ?? '')
  for (const [, target, params] of text.matchAll(/<([^>]*)>((?:\s*;\s*[^,;"]+(?:"[^"]*")?)*)/g)) {
    if (!/;\s*rel\s*=\s*"?next"?/i.test(params!)) continue
    const url = URL.canParse(target!, base.href) ? new URL(target!, base) : undefined
    // A registry below a path may name the next page as if it stood at the root (Artifactory).
    const below = base.pathname.slice(0, Math.max(0, base.pathname.indexOf('/v2/')))
    if (url && below !== '' && url.pathname.startsWith('/v2/')) url.pathname = below + url.pathname
    if (url?.host === base.host && url.href !== base.href) return url
  }
  return undefined
}

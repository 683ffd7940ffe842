import type { Registry } from '../oci/registry.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { Call } from './call.ts'
import { nextLink, pageSize } from './lists.ts'

/** How many names one look-up takes; also the page of a client that does not say. */
const batch = 1000

/** Docker's `_catalog`: what is hosted here and the client may read, in lexical order. Pages are full, whatever was left out. */
export async function catalog(
  call: Call,
  registry: Registry,
  mayRead: (name: RepositoryName) => boolean,
): Promise<Response> {
  const n = pageSize(call.query.get('n')) ?? batch
  let last = call.query.get('last') ?? ''
  const repositories: RepositoryName[] = []
  // One more than is shown, to know whether there is a next page.
  for (let more = n > 0; more && repositories.length <= n;) {
    const found = await registry.listRepositories({ n: batch, last })
    repositories.push(...found.filter(mayRead))
    more = found.length === batch
    last = found.at(-1) ?? last
  }
  const page = repositories.slice(0, n)
  const end = page.at(-1)
  const link = end !== undefined && repositories.length > n ? { Link: nextLink(call, n, end) } : {}
  return call.replyJson(link, { repositories: page })
}

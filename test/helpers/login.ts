import { fetchRaw, type Received } from './http.ts'
import { makeFolder } from './folder.ts'
import { addUser, setUp } from './cli.ts'
import { join } from 'node:path'
import { startBerth, type BerthOptions, type RunningBerth } from './start.ts'

export const passwordOf = (user: string): string => `${user}'s pass:wörd`

export const basic = (user: string, password = passwordOf(user)) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** Asks the token server, as docker does. */
export function askToken(url: string, scope: string | string[] = [], headers = {}): Promise<Received> {
  const query = new URLSearchParams({ service: 'berth' })
  for (const each of [scope].flat()) query.append('scope', each)
  return fetchRaw(`${url}/token?${query.toString()}`, { headers })
}

/** A token for this scope, of this user or of nobody. */
export async function tokenFor(url: string, scope: string | string[] = [], user?: string): Promise<string> {
  const answer = await askToken(url, scope, user === undefined ? {} : basic(user))
  if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${answer.text()}`)
  return (answer.json() as { token: string }).token
}

/**
 * Berth with the users root (an admin), ann, bob, carl and eve, and the organization team: ann owns it, bob writes, carl
 * reads, eve is no member. team/open is public.
 */
export async function startWithUsers(options: BerthOptions = {}): Promise<RunningBerth> {
  const data = options.data ?? join(makeFolder(), 'data')
  await addUser(data, 'root', passwordOf('root'), '--admin')
  for (const user of ['ann', 'bob', 'carl', 'eve']) await addUser(data, user, passwordOf(user))
  await setUp(data, 'org add team', 'org member team ann owner', 'org member team bob writer')
  await setUp(data, 'org member team carl reader', 'repo public team/open')
  return startBerth({ ...options, data })
}

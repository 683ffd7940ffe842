import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hash as bcrypt } from 'bcrypt'
import { describe, expect, it } from 'vitest'
import { addUser, berthCli, createToken, setUp } from '../helpers/cli.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { askToken, basic, bearer, passwordOf, tokenFor } from '../helpers/login.ts'
import { startBerth } from '../helpers/start.ts'

// What another process takes back is refused by a running server within five seconds, however it was shown before.

async function start(settings = {}) {
  const data = join(makeFolder(), 'data')
  await addUser(data, 'ann', passwordOf('ann'))
  const token = await createToken(data, 'ann', '**:pull,push')
  const { url } = await startBerth({ data, ...settings })
  const status = async (headers: Record<string, string>, path = 'ann/app/manifests/1') =>
    (await fetchRaw(`${url}/v2/${path}`, { headers })).status
  const until = async (wanted: number, headers: Record<string, string>, path?: string) => {
    const deadline = Date.now() + 5_000
    while ((await status(headers, path)) !== wanted) expect(Date.now()).toBeLessThan(deadline)
  }
  return { url, data, token, status, until }
}

const pull = 'repository:ann/app:pull'

describe('within five seconds', () => {
  it('a revoked token is refused as Basic, as Bearer, and what it was exchanged for as well', async () => {
    const { url, data, token, status, until } = await start()
    const issued = (await askToken(url, pull, basic('x', token))).json() as { token: string }
    const ways = [basic('x', token), bearer(token), bearer(issued.token)]
    for (const way of ways) expect(await status(way)).toBe(404)
    const [id = ''] = (await berthCli(data, ['token', 'list'])).split(' ', 1)
    await setUp(data, `token revoke ${id}`)
    for (const way of ways) await until(401, way)
    expect((await askToken(url, pull, basic('x', token))).status).toBe(401)
  })

  it('a changed password ends Basic, tokens and stored logins of the old one, and the new one works', async () => {
    const { url, data, status, until } = await start()
    const offline = await fetchRaw(`${url}/token?offline_token=true`, { headers: basic('ann') })
    const { refresh_token: login = '' } = offline.json() as { refresh_token?: string }
    const ways = [basic('ann'), bearer(await tokenFor(url, pull, 'ann'))]
    for (const way of ways) expect(await status(way)).toBe(404)
    await berthCli(data, ['user', 'password', 'ann'], 'battery staple')
    for (const way of ways) await until(401, way)
    const refresh = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: login }).toString()
    expect((await fetchRaw(`${url}/token`, { method: 'POST', body: refresh })).status).toBe(401)
    expect(await status(basic('ann', 'battery staple'))).toBe(404)
  })

  it('a removed user is out, and so are its tokens', async () => {
    const { url, data, token, until } = await start()
    // Without any user credentials count for nothing: another one keeps the guard up.
    await addUser(data, 'bob', passwordOf('bob'))
    const ways = [basic('ann'), basic('x', token), bearer(await tokenFor(url, pull, 'ann'))]
    await setUp(data, 'user remove ann')
    for (const way of ways) await until(401, way)
  })

  it('a membership, a grant and what is public count', async () => {
    const { data, status, until } = await start({ hosted: { namespaces: ['team'] } })
    await setUp(data, 'org add team')
    expect(await status(basic('ann'), 'team/app/blobs/uploads/x')).toBe(403)
    await setUp(data, 'org member team ann writer')
    await until(404, basic('ann'), 'team/app/blobs/uploads/x')
    await setUp(data, 'org member team ann none')
    await until(403, basic('ann'), 'team/app/blobs/uploads/x')
    await setUp(data, 'repo grant team/app ann writer')
    await until(404, basic('ann'), 'team/app/blobs/uploads/x')
  })

  it('a user written to the file of passwords can log in, and one taken out of it cannot', async () => {
    const line = async (user: string) => `${user}:${await bcrypt(passwordOf(user), 4)}\n`
    const file = join(makeFolder({ htpasswd: await line('old') }), 'htpasswd')
    const { status, until } = await start({ access: { htpasswdFile: file } })
    expect(await status(basic('old'), 'old/app/tags/list')).toBe(404)
    writeFileSync(file, await line('new'))
    await until(401, basic('old'), '')
    expect(await status(basic('new'), '')).toBe(200)
  })
})

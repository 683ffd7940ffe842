import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { hasOpenssl, makeCertificate } from '../helpers/certificates.ts'
import { addUser, berthCli, createToken, runBerth } from '../helpers/cli.ts'
import { makeClock } from '../helpers/clock.ts'
import { makeFolder } from '../helpers/folder.ts'
import { passwordOf } from '../helpers/login.ts'
import { startBerth, type BerthOptions } from '../helpers/start.ts'

/** A server with the users root, an admin, and ann; and somebody elsewhere who runs commands. */
async function start(options: BerthOptions = {}) {
  const data = join(makeFolder(), 'data')
  await addUser(data, 'root', passwordOf('root'), '--admin')
  await addUser(data, 'ann', passwordOf('ann'))
  const berth = await startBerth({ data, ...options })
  const home = makeFolder()
  const run = (argv: string[], env: NodeJS.ProcessEnv = {}, input = '') => runBerth(argv, { HOME: home, ...env }, input)
  const logIn = (user: string, ...more: string[]) =>
    run(['login', berth.url, '--username', user, ...more], {}, `${passwordOf(user)}\n`)
  return { ...berth, home, run, logIn, file: join(home, '.config', 'berth', 'logins.json') }
}

const list = ['user', 'list', '--server']

describe('a login elsewhere', () => {
  it('is kept as a token, never the password, for its owner’s eyes alone, and opens what its user may', async () => {
    const { url, data, run, logIn, file } = await start()
    expect(await logIn('root')).toMatchObject({ code: 0, out: expect.stringContaining('logged in as root') as string })
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600')
    expect((statSync(join(file, '..')).mode & 0o777).toString(8)).toBe('700')
    expect(readFileSync(file, 'utf8')).not.toContain(passwordOf('root'))
    expect((await run([...list, url])).out).toMatch(/^ann .*\nroot +admin/)
    expect((await run(['user', 'list'], { BERTH_SERVER: url })).out).toContain('root')
    expect(await berthCli(data, ['audit', '--user', 'root', '--action', 'login'])).toContain('"address":"127.0.0.1"')
  })

  it('of who is no admin does what that user may, and says what it takes to do more', async () => {
    const { url, run, logIn } = await start()
    await logIn('ann')
    expect((await run(['token', 'create', 'ann', '--server', url])).out).toMatch(/^berth_/)
    expect((await run(['token', 'list', '--server', url])).out).toContain(' ann ')
    const refused = await run([...list, url])
    expect(refused).toMatchObject({ code: 1, out: '' })
    expect(refused.err).toMatch(/ann may not administer this registry: it takes an admin's password, or a token of one/)
    expect((await run(['token', 'create', 'root', '--server', url])).code).toBe(1)
  })

  it('that is wrong keeps nothing, and says so without a hint to log in', async () => {
    const { url, run, file } = await start()
    const { code, err } = await run(['login', url, '--username', 'root'], {}, 'wrong')
    expect([code, err]).toEqual([1, 'berth: the user name or password is wrong\n'])
    expect(existsSync(file)).toBe(false)
  })

  it('ends when it is forgotten, when the password changes, and by itself after 30 days', async () => {
    const clock = makeClock(Date.now())
    const { url, run, logIn, data } = await start({ clock })
    expect((await run(['logout'])).err).toBe('berth: there is no login to forget\n')
    await logIn('root')
    expect((await run(['logout'])).out).toBe(`logged out of ${url}\n`)
    expect((await run([...list, url])).err).toMatch(/log in to administer.*berth login http/)
    await logIn('root')
    await berthCli(data, ['user', 'password', 'root'], passwordOf('root'))
    expect((await run([...list, url])).err).toMatch(/wrong, expired or revoked.*berth login/)
    await logIn('root')
    expect((await run([...list, url])).code).toBe(0)
    clock.advance(31 * 24 * 3_600_000)
    expect((await run([...list, url])).err).toMatch(/wrong, expired or revoked.*berth login/)
  })

  it('is no login of pages or of the registry', async () => {
    const { url, logIn, file } = await start()
    await logIn('root')
    const { token } = (JSON.parse(readFileSync(file, 'utf8')) as Record<string, { token: string }>)[url]!
    const bearer = { authorization: `Bearer ${token}` }
    expect((await fetch(`${url}/v2/`, { headers: bearer })).status).toBe(401)
    expect((await fetch(`${url}/api/v1/accounts`, { headers: { cookie: `berth_session=${token}` } })).status).toBe(401)
    expect((await fetch(`${url}/api/v1/accounts`, { headers: bearer })).status).toBe(200)
  })
})

describe('a token', () => {
  it('with the scope admin is as good as the password of its owner, from the environment or a file', async () => {
    const { url, data, run } = await start()
    const token = await createToken(data, 'root', 'admin')
    const env = { BERTH_SERVER: url }
    expect((await run(['namespace', 'add', 'crew'], { ...env, BERTH_TOKEN: token })).code).toBe(0)
    const file = join(makeFolder({ token: `${token}\n` }), 'token')
    expect((await run(['namespace', 'list'], { ...env, BERTH_TOKEN_FILE: file })).out).toBe('ann\ncrew\nroot\n')
    expect(await berthCli(data, ['audit', '--user', 'root', '--action', 'namespace added'])).toContain('127.0.0.1')
  })

  it('without it administers nothing, and only admins can have it', async () => {
    const { url, data, run } = await start()
    const env = { BERTH_SERVER: url, BERTH_TOKEN: await createToken(data, 'root', '**:pull,push,delete') }
    expect((await run(['user', 'list'], env)).err).toMatch(
      /it takes an admin's password, or a token of one with the scope/,
    )
    expect((await run(['token', 'create', 'root'], env)).err).toMatch(
      /takes a password, or a token with the scope admin/,
    )
    expect(await berthCli(data, ['token', 'create', 'ann', '--scope', 'admin'])).toMatch(/for tokens of admins.*1$/s)
  })

  it('that is none is refused before anything is asked', async () => {
    const { url, run } = await start()
    for (const env of [{ BERTH_TOKEN: 'a b' }, { BERTH_TOKEN_FILE: '/nowhere' }]) {
      expect(await run([...list, url], env)).toMatchObject({ code: 2, out: '' })
    }
  })
})

describe('the address of a server', () => {
  it.each([
    ['http://registry.example.com', /plain http:\/\/ is for this machine alone/],
    ['registry.example.com', /must be an address such as https/],
    ['ftp://127.0.0.1', /must be an address such as https/],
    ['https://registry.example.com/berth', /without a path/],
    ['https://ann:secret@registry.example.com', /without a user/],
  ])('%s is refused with exit code 2, wherever it stands', async (server, message) => {
    const option = await runBerth([...list, server], {})
    expect(option).toMatchObject({ code: 2, err: expect.stringMatching(message) as string })
    const variable = await runBerth(['user', 'list'], { BERTH_SERVER: server })
    expect(variable).toMatchObject({ code: 2, err: expect.stringMatching(message) as string })
    expect((await runBerth(['login', server], {})).code).toBe(2)
  })

  it('is not given beside a file with settings; one of the environment gives way to that', async () => {
    const data = join(makeFolder(), 'data')
    const config = join(makeFolder({ 'b.yaml': `storage: { data: ${data} }` }), 'b.yaml')
    const both = await runBerth([...list, 'https://registry.example.com', '--config', config], {})
    expect(both).toMatchObject({ code: 2, err: expect.stringContaining('cannot be used with') as string })
    const local = await runBerth(['user', 'list', '--config', config], { BERTH_SERVER: 'http://127.0.0.1:1' })
    expect(local).toEqual({ code: 0, out: '', err: '' })
  })
})

describe('what goes wrong is told in plain words', () => {
  it('when nothing listens there', async () => {
    const { code, err } = await runBerth([...list, 'http://127.0.0.1:1'], {})
    expect([code, err]).toEqual([
      1,
      'berth: nothing listens at http://127.0.0.1:1: is the server running, and is this its address?\n',
    ])
  })

  it('when something else does, and its text cannot move the cursor', async () => {
    let status = 200
    let body = '<html>'
    const server = createServer((_, answer) => answer.writeHead(status).end(body)).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    expect((await runBerth([...list, url], {})).err).toMatch(/another answer than this command knows: is it a Berth/)
    status = 404
    expect((await runBerth([...list, url], {})).err).toMatch(/HTTP 404 and nothing that this command knows/)
    status = 500
    expect((await runBerth([...list, url], {})).err).toMatch(/failed \(HTTP 500\): its log tells more/)
    status = 400
    body = JSON.stringify({ errors: [{ code: 'UNSUPPORTED', message: '\u001b[2Jgone' }] })
    expect((await runBerth([...list, url], {})).err).toBe('berth: \\u{1b}[2Jgone\n')
  })

  it.runIf(hasOpenssl)('when its certificate is not trusted; with --ca, which a login remembers, it is', async () => {
    const { cert, key } = makeCertificate()
    const folder = makeFolder({ 'tls.crt': cert, 'tls.key': key, 'ca.pem': cert, 'none.pem': 'x' })
    const tls = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') }
    const { url, run, logIn } = await start({ tls })
    expect(url).toMatch(/^https:/)
    expect((await run([...list, url])).err).toMatch(/certificate of https.* is not trusted .*--ca FILE/)
    expect((await run([...list, url, '--ca', join(folder, 'none.pem')])).code).toBe(2)
    expect((await logIn('root', '--ca', join(folder, 'ca.pem'))).code).toBe(0)
    expect((await run([...list, url])).out).toContain('root')
    expect((await run([...list, url.replace('https:', 'http:')])).code).toBe(1)
  })
})

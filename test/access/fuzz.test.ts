import fc from 'fast-check'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createToken } from '../helpers/cli.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { basic, bearer, passwordOf, startWithUsers, tokenFor } from '../helpers/login.ts'
import { beginAt, clientSecret, startLoginProvider } from '../helpers/login-provider.ts'
import { makeRandom, type Random } from '../helpers/random.ts'
import { Pusher } from '../helpers/push.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { Visitor } from '../helpers/visitor.ts'

// Whatever is sent by somebody who may not see team/secret, nothing of it comes back, and nothing is a fault of ours.
// FUZZ_SEED=... repeats a run.

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
const layer = 'what nobody else may see'

async function start() {
  const upstream = await startUpstream({ content: {} })
  const file = join(makeFolder({ secret: clientSecret }), 'secret')
  const provider = await startLoginProvider({ people: {} })
  const access = { oidc: [provider.settings(file)] }
  const berth = await startWithUsers({ access, upstreams: [{ name: 'docker.io', url: upstream.url }] })
  provider.admit(berth.url)
  const visitor = new Visitor()
  await beginAt(berth.url, visitor)
  const digest = await new Pusher(berth.url, 'team/secret', basic('ann')).image('v1', layer)
  const robot = await createToken(berth.data, 'eve', '**:pull,push,delete')
  const eve = await tokenFor(berth.url, ['repository:team/secret:pull,push', 'repository:eve/app:pull,push'], 'eve')
  const config = `sha256:${'44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'}`
  const secrets = [layer, passwordOf('ann'), passwordOf('eve'), robot, clientSecret, '$argon2', 'v1"', '"layers"']
  const begun = visitor.cookies.get('berth_login')!.value
  return { ...berth, digest, config, robot, eve, begun, secrets }
}

it(`requests in all variations leak nothing and break nothing (seed ${seed})`, { timeout: 120_000 }, async () => {
  const { url, digest, config, robot, eve, begun, secrets } = await start()
  const piece = fc.oneof(
    fc.constantFrom(
      'v2',
      'team',
      'secret',
      'team/secret',
      'manifests',
      'blobs',
      'uploads',
      'tags',
      'list',
      'referrers',
    ),
    fc.constantFrom(
      'v1',
      digest,
      config,
      '_catalog',
      'eve',
      'app',
      'token',
      'metrics',
      'docker.io',
      '.',
      '..',
      '',
      '%2e%2e',
    ),
    fc.constantFrom('login', 'oidc', 'corp', 'callback', 'logout', 'account', 'api', 'links', 'constructor'),
    fc.constantFrom('%2f', '%00', '%', 'v1@2026-01-01', 'team%2Fsecret', 'TEAM', 'secret;x', '*'),
    fc.stringMatching(/^[!-~]{0,8}$/),
  )
  const name = fc.constantFrom(
    'team/secret',
    'team/secret',
    'eve/app',
    'team//secret',
    'team/./secret',
    'team%2Fsecret',
  )
  const kind = fc.oneof(fc.constantFrom('manifests', 'blobs', 'tags', 'referrers', 'blobs/uploads'), piece)
  const reference = fc.oneof(fc.constantFrom('v1', 'list', digest, config, ''), piece)
  const shaped = fc.tuple(name, kind, reference).map((parts) => `/v2/${parts.join('/')}`)
  const path = fc.oneof(
    shaped,
    fc.constantFrom('/login', '/login/oidc/corp', '/login/oidc/corp/callback', '/logout', '/api/v1/links'),
    fc.array(piece, { maxLength: 7 }).map((pieces) => `/${pieces.join('/')}`),
  )
  const query = fc.dictionary(
    fc.constantFrom(
      'ns',
      'n',
      'last',
      'digest',
      'mount',
      'from',
      'scope',
      'service',
      'account',
      'offline_token',
      'tag',
      'state',
      'code',
      'iss',
      'error',
      'next',
    ),
    fc.oneof(
      fc.string(),
      fc.constantFrom(digest, config, 'team/secret', 'repository:team/secret:pull,push,*', 'docker.io'),
    ),
  )
  const odd = fc.stringMatching(/^[ -~]{0,40}$/).map((text) => text.trim())
  const changed = fc.tuple(fc.nat(eve.length - 1), fc.constantFrom('A', '.', '=', '')).map(([at, by]) => {
    return `Bearer ${eve.slice(0, at)}${by}${eve.slice(at + 1)}`
  })
  const authorization = fc.oneof(
    fc.constantFrom(undefined, basic('eve').authorization, `Bearer ${eve}`, `Bearer ${robot}`, 'Basic Og==', 'Bearer'),
    changed,
    odd,
    odd.map((text) => `Bearer ${text}`),
  )
  const headers = fc.dictionary(
    fc.constantFrom(
      'x-http-method-override',
      'x-original-url',
      'x-forwarded-for',
      'range',
      'accept',
      'content-type',
      'content-range',
      'cookie',
    ),
    fc.oneof(
      odd,
      fc.constantFrom('GET', '/v2/team/secret/manifests/v1', '127.0.0.1', 'bytes=0-', '0-1'),
      fc
        .tuple(fc.constantFrom('berth_login', 'berth_session', 'berth_browser'), fc.constantFrom(begun, eve, 'x'), odd)
        .map(([name, value, more]) => `${name}=${value}${more}`),
    ),
  )
  const body = fc.oneof(
    fc.constant(''),
    fc.string(),
    fc.json(),
    fc.constant(`grant_type=password&username=ann&scope=repository:team/secret:pull`),
    fc.constant(
      JSON.stringify({ schemaVersion: 2, config: { digest: config, size: 2 }, layers: [], subject: { digest } }),
    ),
  )
  const method = fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND')
  const property = fc.asyncProperty(
    method,
    path,
    query,
    authorization,
    headers,
    body,
    async (...[method, path, query, authorization, headers, body]) => {
      const search = new URLSearchParams(query).toString()
      const target = `${path.replace(/[\s#?]/g, '')}${search && `?${search}`}`
      const sent = { ...headers, ...(authorization !== undefined && { authorization }) }
      const bodied = method === 'GET' || method === 'HEAD' ? {} : { body }
      const answer = await fetchRaw(url, { method, path: target, headers: sent, ...bodied })
      // An upstream that is asked for what it has not got is no fault of ours.
      expect(answer.status).not.toBe(500)
      for (const secret of secrets) expect(answer.text()).not.toContain(secret)
      // With ns it is a repository of that upstream, which may well be there.
      if (target.startsWith('/v2/team/secret/') && query.ns === undefined)
        expect(answer.status).toBeGreaterThanOrEqual(400)
    },
  )
  await fc.assert(property, { seed, numRuns: 1_500, endOnFailure: true })
  expect((await fetchRaw(`${url}/v2/team/secret/manifests/v1`, { headers: basic('ann') })).status).toBe(200)
  expect((await fetchRaw(`${url}/v2/`, { headers: bearer(eve) })).status).toBe(200)
})

it(
  `bytes that are hardly HTTP are answered or cut, and break nothing (seed ${seed})`,
  { timeout: 120_000 },
  async () => {
    const { url, host, secrets, eve } = await start()
    const random = makeRandom(seed)
    for (let i = 0; i < 600; i++) {
      const said = await exchange(host, mutated(random, eve))
      expect(said).not.toMatch(/^HTTP\/1.1 500/m)
      for (const secret of secrets) expect(said).not.toContain(secret)
    }
    expect((await fetchRaw(`${url}/v2/team/secret/manifests/v1`, { headers: basic('ann') })).status).toBe(200)
  },
)

/** A request for what is secret, with some of it changed, doubled, cut or moved. */
function mutated(random: Random, token: string): Buffer {
  const method = random.pick(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'get', 'TRACE'])
  const path = random.pick([
    '/v2/team/secret/manifests/v1',
    '/v2/team/secret/tags/list',
    '/token',
    '/v2/_catalog',
    '/metrics',
    '/login/oidc/corp/callback?code=x&state=y',
    '/login/oidc/corp',
  ])
  const lines = [
    `${method} ${path} HTTP/${random.pick(['1.1', '1.1', '1.0', '0.9', '2.0'])}`,
    'Host: registry.test',
    random.pick([`Authorization: Bearer ${token}`, 'Authorization: Basic Og==', 'Authorization:', 'X: y']),
    random.pick([
      'Content-Length: 5',
      'Content-Length: 5\r\nContent-Length: 6',
      'Transfer-Encoding: chunked',
      'Transfer-Encoding: x',
      'A: b',
    ]),
    random.pick([
      'Expect: 100-continue',
      'Connection: close',
      'Upgrade: h2c',
      'X-HTTP-Method-Override: GET',
      ' folded: line',
    ]),
    '',
    random.pick([
      '',
      'abcde',
      '5\r\nabcde\r\n0\r\n\r\n',
      'fffffffff\r\n',
      'GET /v2/team/secret/manifests/v1 HTTP/1.1\r\nHost: a\r\n\r\n',
    ]),
  ]
  if (random.chance(0.2)) lines.splice(random.whole(0, lines.length - 1), 1)
  if (random.chance(0.2)) lines.push(random.pick(lines))
  const bytes = Buffer.from(lines.join(random.pick(['\r\n', '\r\n', '\n'])))
  for (let flips = random.chance(0.4) ? random.whole(1, 8) : 0; flips > 0; flips--) {
    bytes[random.whole(0, bytes.length - 1)] = random.whole(0, 255)
  }
  return random.chance(0.1) ? bytes.subarray(0, random.whole(1, bytes.length)) : bytes
}

/** Sends bytes, closes its half, and returns all that comes back. */
async function exchange(host: string, bytes: Buffer): Promise<string> {
  const [hostname, port] = host.split(':')
  const socket = connect({ host: hostname!, port: Number(port) })
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => parts.push(part)).on('error', () => {})
  socket.end(bytes)
  await once(socket, 'close', { signal: AbortSignal.timeout(10_000) })
  return Buffer.concat(parts).toString('latin1')
}

import fc from 'fast-check'
import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { createToken, setUp } from '../helpers/cli.ts'
import { fetchRaw } from '../helpers/http.ts'
import { basic, bearer, startWithUsers, tokenFor } from '../helpers/login.ts'
import { descriptor, imageOf, Pusher, sha256 } from '../helpers/push.ts'
import { startUpstream } from '../helpers/upstream.ts'

// What one may not see cannot be told from what is not there, by status, headers or body, however it is asked for. Every request
// is sent twice over a raw socket: once with the name of what is hidden, once with a name of the same length that nothing has.
// FUZZ_SEED=... repeats a run.

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
const [hidden, missing] = ['team/secret', 'team/nobody']
const layer = 'what nobody else may see'

async function start() {
  const upstream = await startUpstream({ content: {} })
  const berth = await startWithUsers({ upstreams: [{ name: 'docker.io', url: upstream.url }] })
  // In a namespace where all else is public, nothing but the guard hides it.
  await setUp(berth.data, 'repo public team', `repo private ${hidden}`)
  const pusher = new Pusher(berth.url, hidden, basic('ann'))
  const digest = await pusher.image('v1', layer)
  const signature = { ...imageOf('{}'), subject: descriptor(JSON.stringify(imageOf('{}', layer))) }
  await pusher.manifest('signature', signature)
  const session = new URL(await pusher.open()).pathname.split('/').at(-1)!
  const robot = await createToken(berth.data, 'eve', '**:pull,push,delete')
  await expect
    .poll(async () => (await fetchRaw(`${berth.url}/v2/`, { headers: basic('x', robot) })).status, { timeout: 5_000 })
    .toBe(200)
  const scopes = [hidden, missing].map((name) => `repository:${name}:pull,push,delete`)
  const identities = [
    {},
    basic('eve'),
    basic('x', robot),
    bearer(robot),
    bearer(await tokenFor(berth.url, [...scopes, 'repository:eve/app:pull,push'], 'eve')),
    bearer(await tokenFor(berth.url, scopes)),
  ]
  return { ...berth, digest, session, identities }
}

type Scene = Awaited<ReturnType<typeof start>>

/** Parts of request lines and headers, in which NAME stands for the repository. */
function requestsOf({ digest, session, host }: Scene) {
  const blob = sha256(layer)
  const tail = fc.constantFrom(
    ...['manifests/v1', `manifests/${digest}`, 'manifests/none', 'manifests/v1@2099-01-01', `blobs/${blob}`],
    ...['tags/list', 'tags/list?n=1', 'tags/list?last=a', `referrers/${digest}`, `referrers/${digest}?artifactType=x`],
    ...['blobs/uploads/', 'blobs/uploads', `blobs/uploads/${session}`, `blobs/uploads/${session}?digest=${blob}`],
    ...[
      `blobs/uploads/?mount=${blob}&from=team/open`,
      'manifests/',
      'blobs/',
      '',
      'v1',
      'manifests/v1?ns=&ns=docker.io',
    ],
  )
  const shape = fc.constantFrom(
    ...['/v2/NAME/TAIL', '/v2/NAME/TAIL', '/v2/NAME/TAIL', '/v2/NAME/TAIL/', '/v2//NAME/TAIL', '/v2/NAME//TAIL'],
    ...['//v2/NAME/TAIL', '/v2/./NAME/TAIL', '/v2/x/../NAME/TAIL', '/v2/%2e%2e/v2/NAME/TAIL', '/V2/NAME/TAIL'],
    ...['/team/v2/NAME/TAIL', '/x/v2/NAME/TAIL', '/v2/NAME/TAIL%00', '/v2/NAME%00/TAIL', '/v2/NAME/TAIL;x=1'],
    ...[`http://${host}/v2/NAME/TAIL`, 'http://elsewhere.test/v2/NAME/TAIL', '/v2/NAME/TAIL#x', '/v2/NAME/TAIL\\'],
    ...['/r/NAME', '/r/NAME/t/v1', '/r/NAME/t/v1?compare=v1', `/r/NAME/t/${digest}`, '/r/NAME/', '/search?q=NAME'],
    ...['/api/v1/repository?name=NAME', '/api/v1/tags?name=NAME', '/api/v1/image?name=NAME&reference=v1'],
    ...['/api/v1/tag?name=NAME&reference=v1', '/token?scope=repository:NAME:pull', '/v2/_catalog?n=1&last=NAME'],
    ...[`/v2/eve/app/blobs/uploads/?mount=${blob}&from=NAME`, `/v2/eve/app/blobs/uploads/?from=NAME&mount=${blob}`],
    ...[
      `/v2/eve/app/blobs/uploads/${session}?x=NAME`,
      `/v2/NAME/${'a/'.repeat(200)}TAIL`,
      `/v2/NAME/${'a'.repeat(9_000)}`,
    ],
  )
  /** The name as it stands, or with some of it percent-encoded, in capitals or not. */
  const spelling = fc.constantFrom<(name: string) => string>(
    ...[(name: string) => name, (name: string) => name, (name: string) => name.replace('/', '%2F')],
    ...[(name: string) => name.replace('/', '%2f'), (name: string) => name.replace('t', '%74')],
    ...[(name: string) => name.replace('m', '%6D'), (name: string) => name.toUpperCase(), (name: string) => `${name}.`],
    ...[(name: string) => name.replace('/', '%252f'), (name: string) => name.replace('/', '//')],
  )
  const header = fc.constantFrom(
    ...['X-HTTP-Method-Override: GET', 'X-Original-URL: /v2/NAME/tags/list', 'X-Forwarded-For: 127.0.0.1'],
    ...['X-Forwarded-User: root', 'Range: bytes=0-0', `If-None-Match: "${digest}"`, 'If-None-Match: *', 'Accept: */*'],
    ...['Expect: 100-continue', `If-Match: "${digest}"`, 'Cache-Control: no-cache', 'Content-Range: 0-1', 'A: NAME'],
    ...['Content-Type: application/json', 'Content-Type: application/vnd.oci.image.manifest.v1+json', 'Cookie: a=NAME'],
  )
  const body = fc.constantFrom(
    ...['', '', '{}', '{"name":"NAME","reference":"v1","from":"v1","tag":"v2","public":true}', layer],
    JSON.stringify({ ...imageOf('{}', layer), subject: { mediaType: 'a/b', digest, size: 2 } }),
  )
  const methods = ['GET', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'TRACE', 'REPORT']
  return fc.record({
    method: fc.constantFrom(...methods),
    target: fc.tuple(shape, tail).map(([shape, tail]) => shape.replace('TAIL', () => tail)),
    spelling,
    host: fc.constantFrom(host, 'elsewhere.test', 'docker.io', 'localhost'),
    headers: fc.uniqueArray(header, { maxLength: 3, selector: (line) => line.split(':', 1)[0] }),
    who: fc.nat(5),
    body,
  })
}

type Request = ReturnType<typeof requestsOf> extends fc.Arbitrary<infer T> ? T : never

/** What comes back for this name, with NAME in its place and without what is another at every request. */
async function answerTo(scene: Scene, { method, target, spelling, who, body, ...rest }: Request, name: string) {
  const named = (text: string, how = (name: string) => name) => text.replaceAll('NAME', () => how(name))
  const lines = [
    `${method} ${named(target, spelling)} HTTP/1.1`,
    `Host: ${rest.host}`,
    ...Object.entries(scene.identities[who]!).map(([key, value]) => `${key}: ${String(value)}`),
    ...rest.headers.map((line) => named(line)),
    `Content-Length: ${Buffer.byteLength(named(body))}`,
    'Connection: close',
  ]
  const socket = connect(Number(new URL(scene.url).port), '127.0.0.1')
  let text = ''
  socket.setEncoding('utf8')
  socket.on('data', (part: string) => (text += part)).on('error', () => {})
  socket.write(`${lines.join('\r\n')}\r\n\r\n${named(body)}`)
  await once(socket, 'close', { signal: AbortSignal.timeout(20_000) })
  const spelled = [name, name.toUpperCase(), spelling(name), decodeURIComponent(spelling(name))]
  // Answers that lead on name it in URLs of their own.
  const forms = new Set([...spelled, ...spelled.map(encodeURIComponent), name.split('/')[1]!])
  for (const form of forms) text = text.replaceAll(form, 'NAME')
  return text
    .replace(/^(?:Date|Set-Cookie): .*\r\n/gim, '')
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'SESSION')
    .replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, 'TOKEN')
    .replace(/name="token" value="[^"]*"/g, 'FORM')
    .replace(/"issued_at":"[^"]*"/, '')
}

it(
  `what is hidden answers as what is missing, however it is asked for (seed ${seed})`,
  { timeout: 240_000 },
  async () => {
    const scene = await start()
    const seen = new Set<string>()
    const property = fc.asyncProperty(requestsOf(scene), async (request) => {
      const [one, other] = [await answerTo(scene, request, hidden), await answerTo(scene, request, missing)]
      expect(one).toBe(other)
      expect(one).not.toContain(layer)
      expect(one).not.toMatch(/^HTTP\/1.1 500/)
      seen.add(one.slice(9, 12))
    })
    await fc.assert(property, { seed, numRuns: Number(process.env.FUZZ_RUNS ?? 600), endOnFailure: true })
    // Both by the guard and by what lies before it.
    for (const status of ['400', '401', '403', '404']) expect([...seen]).toContain(status)
    expect((await new Pusher(scene.url, hidden, basic('ann')).send('GET', 'manifests/v1')).status).toBe(200)
  },
)

import fc from 'fast-check'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw, type Sent } from '../helpers/http.ts'
import { basic, passwordOf, startWithUsers } from '../helpers/login.ts'
import { nodeImage } from '../helpers/pages.ts'
import { Pusher } from '../helpers/push.ts'
import { startUpstream } from '../helpers/upstream.ts'

// Every operation of the admin API's description, with whatever one may send there. FUZZ_SEED=... repeats a run.

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)

/** An admin of the settings: whatever is done here, that login stays. */
const ada = 'ada'

interface Schema {
  type?: string
  enum?: string[]
  items?: Schema
  properties?: Record<string, Schema>
}

interface Operation {
  parameters?: { name: string; schema: Schema }[]
  requestBody?: { content: { 'application/json': { schema: Schema } } }
}

async function start() {
  const upstream = await startUpstream({ content: { 'library/node': nodeImage('20.11.0', ['20', '20.11.0']) } })
  const secretFile = join(makeFolder({ secret: 'the secret of a hook' }), 'secret')
  const berth = await startWithUsers({
    access: { user: { username: ada, password: passwordOf(ada) } },
    // The other one is down.
    upstreams: [
      { name: 'docker.io', url: upstream.url },
      { name: 'ghcr.io', url: 'http://127.0.0.1:9' },
    ],
    webhooks: [{ name: 'ci', url: 'http://127.0.0.1:9/hooks/t0k3n', secretFile, match: ['none/*'] }],
    warm: [{ name: 'base', references: ['docker.io/library/node:20'] }],
  })
  const digest = await new Pusher(berth.url, 'team/app', basic('ann')).image('1', 'a layer')
  await new Pusher(berth.url, 'eve/app', basic('eve')).image('1', 'a layer of eve')
  const { paths } = (await fetchRaw(`${berth.url}/api/v1/openapi.json`)).json() as {
    paths: Record<string, Record<string, Operation>>
  }
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      given: shapeOf(operation),
    })),
  )
  return { ...berth, digest, operations }
}

function shapeOf({ parameters = [], requestBody }: Operation): Record<string, Schema> {
  const properties = requestBody?.content['application/json'].schema.properties
  return properties ?? Object.fromEntries(parameters.map(({ name, schema }) => [name, schema]))
}

/** What there is here, by the names of fields that want it. */
const likely = (digest: string): Record<string, string[]> => {
  const accounts = ['ann', 'bob', 'eve', 'team', 'spare', 'nobody']
  const references = ['1', '20', 'stable', digest]
  return {
    name: ['team/app', 'eve/app', 'docker.io/library/node', 'ci', ...accounts],
    ...{ user: accounts, account: accounts, owner: accounts, organization: ['team', 'spare'] },
    ...{ reference: references, from: references, to: references, tag: references },
    ...{ password: ['another password'], present: [passwordOf('eve')], next: [passwordOf('eve')], id: ['1', '2'] },
    list: ['base'],
    pattern: ['docker.io/library/node:2*', 'team/app:1'],
    scopes: ['team/*:pull', '**:pull,push'],
    references: ['docker.io/library/node:20', 'team/app:1'],
    platform: ['', 'linux/amd64', 'linux/arm64/v8'],
  }
}

/** What looks like it. */
const unlikely = [
  ...['node', 'team/none', 'ghcr.io/org/tool', 'UPPER', 'team//app', '../etc', 'token', '__proto__', 'constructor'],
  ...['sha256:0', 'team/*:fly', 'linux', '', ' ', '*', '[', '(a+)+$', '%', '{1,2}', 'x'.repeat(3_000), 'é\u0301'],
]

const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    0.5,
    2 ** 53,
    1e308,
    '\u0000',
    '\ud800',
    '\u202e',
    "' OR 1=1 --",
    [],
    {},
    [[[]]],
  ),
  fc.constantFrom<unknown>(Array(200).fill('team/*:pull'), { toString: 1 }, { then: 'x' }, '9'.repeat(400)),
)

function fitting({ type, enum: values, items }: Schema, word: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  if (values) return fc.constantFrom(...values)
  if (type === 'integer' || type === 'number') return fc.oneof(fc.integer({ min: -1, max: 5 }), fc.maxSafeInteger())
  if (type === 'boolean') return fc.boolean()
  if (type === 'array') return fc.array(fitting(items ?? {}, word), { maxLength: 3 })
  return word
}

function givenFor(shape: Record<string, Schema>, digest: string): fc.Arbitrary<Record<string, unknown>> {
  const each = Object.entries(shape).map(([name, schema]) => {
    const word = fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom(...(likely(digest)[name] ?? unlikely)) },
      { weight: 1, arbitrary: fc.constantFrom(...unlikely) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
    )
    return [name, fc.oneof({ weight: 9, arbitrary: fitting(schema, word) }, { weight: 1, arbitrary: odd })] as const
  })
  const fields = Object.fromEntries(each)
  const some = fc.record(fields, { requiredKeys: [] })
  return fc.oneof({ weight: 4, arbitrary: fc.record(fields) }, { weight: 1, arbitrary: some })
}

interface Request {
  target: string
  sent: Sent
}

/** A request of one of the operations; now and then what is no JSON at all, or of another method. */
function requests({ digest, operations }: Awaited<ReturnType<typeof start>>): fc.Arbitrary<Request> {
  const one = operations.map(({ path, method, given }) =>
    givenFor(given, digest).map((value): Request => {
      if (method === 'POST') {
        return {
          target: path,
          sent: { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) },
        }
      }
      const query = new URLSearchParams(
        Object.entries(value).map(([name, one]): [string, string] => [name, queried(one)]),
      )
      return { target: `${path}?${query.toString()}`.slice(0, 6_000), sent: { method } }
    }),
  )
  const body = fc.oneof(fc.json(), fc.string(), fc.constantFrom('{', '[[[[', '{"name":', '"x"', 'null', '{"a":1}{'))
  const type = fc.constantFrom(
    'application/json',
    'application/json; charset=utf-16',
    'text/plain',
    'application/x-www-form-urlencoded',
    '',
  )
  const other = fc
    .tuple(fc.constantFrom(...operations), fc.constantFrom('POST', 'DELETE', 'PUT', 'PATCH'), type, body)
    .map(([{ path }, method, type, body]): Request => ({
      target: `${path}?name=%E0%A4%A&name=x&=`,
      sent: { method, headers: { 'content-type': type }, body },
    }))
  return fc.oneof(...one.map((arbitrary) => ({ weight: 2, arbitrary })), { weight: 8, arbitrary: other })
}

const queried = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

/** What nobody may change, as an admin sees it. */
async function stateOf(url: string): Promise<unknown[]> {
  const get = async (path: string) => (await fetchRaw(`${url}/api/v1/${path}`, { headers: basic(ada) })).json()
  const accounts = ['accounts', 'account?name=team', 'account?name=ann']
  const hosted = ['tags?name=team/app', 'repository?name=team/app', 'tags?name=eve/app']
  const [cache, audit, ...others] = await Promise.all(
    ['cache', 'audit/log', 'warm', 'webhooks', ...accounts, ...hosted].map(get),
  )
  const { entries } = audit as { entries: { action: string }[] }
  // Whoever may pull may also have the upstream asked what a tag means, and anybody may be wrong about a password.
  const theirs = entries.filter(({ action }) => action !== 'check' && action !== 'login refused')
  return [...others, (cache as { pins: unknown }).pins, theirs]
}

it(
  `whatever is sent to the admin API is answered in its form, and changes nothing by nobody (seed ${seed})`,
  { timeout: 60_000 },
  async () => {
    const berth = await start()
    const { url, data } = berth
    const traces = [
      data,
      '$argon2',
      'node_modules',
      't0k3n',
      'the secret of a hook',
      ...['ann', 'ada'].map((user) => passwordOf(user)),
    ]
    const send = async (as: object, { target, sent }: Request) => {
      const answer = await fetchRaw(url, { ...sent, path: target, headers: { ...sent.headers, ...as } })
      const text = answer.text()
      expect([answer.status, text]).not.toEqual([500, expect.anything()])
      for (const trace of traces) expect(text).not.toContain(trace)
      expect(text).not.toMatch(/\bat \S+ \(|\.[jt]s:\d+/)
      if (answer.status >= 400)
        expect(answer.json()).toMatchObject({
          errors: [{ code: expect.any(String) as string, message: expect.any(String) as string }],
        })
    }
    const fuzz = (as: object, numRuns: number) =>
      fc.assert(
        fc.asyncProperty(requests(berth), (request) => send(as, request)),
        { seed, numRuns, endOnFailure: true },
      )

    const before = await stateOf(url)
    await fuzz({}, 300)
    expect(await stateOf(url)).toEqual(before)
    await fuzz(basic('eve'), 350)
    await fuzz(basic(ada), 550)
    expect((await fetchRaw(`${url}/api/v1/accounts`, { headers: basic(ada) })).status).toBe(200)
  },
)

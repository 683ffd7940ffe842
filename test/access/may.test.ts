import fc from 'fast-check'
import { hash as bcrypt } from 'bcrypt'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { berthCli, setUp } from '../helpers/cli.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { basic, passwordOf } from '../helpers/login.ts'
import { Pusher } from '../helpers/push.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'

// `berth may` and a request must agree, whatever the rules are. FUZZ_SEED=... repeats a run.

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)

const image = (text: string) => ({
  blobs: { [text]: text },
  manifests: { m: { config: text, layers: [text] } },
  tags: { 1: 'm' },
})
const content = { 'library/node': image('node'), 'library/evil': image('evil'), 'org/secret': image('secret') }
const hostedNames = ['ann/app', 'team/app', 'team/open', 'free/app']
const secret = 'docker.io/org/secret'
const names = [...hostedNames, 'docker.io/library/node', 'docker.io/library/evil', secret]
const absent = `sha256:${'0'.repeat(64)}`

const role = fc.constantFrom('owner', 'writer', 'reader')
const named = fc.subarray(['anyone', 'users', 'ann', 'bob', 'team', 'ops'], { maxLength: 3 })
const rule = fc.record(
  {
    match: fc.constantFrom('**', 'team/**', 'team/app', 'free/*', 'ann/app', 'docker.io/**', 'docker.io/org/*'),
    ...{ pull: named, private: named, push: named, delete: named, administer: named },
  },
  { requiredKeys: ['match'] },
)
/** Commands that give rights. */
const command = fc.oneof(
  fc
    .tuple(fc.constantFrom('team', 'ops'), fc.constantFrom('ann', 'bob'), role)
    .map((to) => `org member ${to.join(' ')}`),
  fc
    .tuple(
      fc.constantFrom('ann/app', 'team/app', 'team', 'free', 'free/app'),
      fc.constantFrom('ann', 'bob', 'ops'),
      role,
    )
    .map((to) => `repo grant ${to.join(' ')}`),
  fc
    .tuple(fc.constantFrom('public', 'private'), fc.constantFrom('ann/app', 'team', 'team/open', 'free', 'free/app'))
    .map((to) => `repo ${to.join(' ')}`),
)
const world = fc.record({
  anonymous: fc.constantFrom('pull', 'pull', 'push', 'none'),
  private: fc.constantFrom('login', 'open'),
  policy: fc.array(rule, { maxLength: 3 }),
  commands: fc.array(command, { maxLength: 8 }),
})
const question = fc.record({
  who: fc.constantFrom('anonymous', 'ann', 'bob', 'root'),
  action: fc.constantFrom('pull', 'private', 'push', 'delete', 'administer'),
  name: fc.constantFrom(...names),
})

type World = typeof world extends fc.Arbitrary<infer T> ? T : never
type Question = typeof question extends fc.Arbitrary<infer T> ? T : never

async function start(upstream: Upstream, htpasswd: string, { commands, ...access }: World) {
  const folder = makeFolder({ htpasswd })
  const data = join(folder, 'data')
  const settings = {
    access: {
      ...access,
      htpasswdFile: join(folder, 'htpasswd'),
      user: { username: 'root', password: passwordOf('root') },
    },
    hosted: { namespaces: ['free'] },
    upstreams: [
      { name: 'docker.io', url: upstream.url, deny: ['library/evil'], credentials: { username: 'me', password: 'pw' } },
    ],
  }
  const config = join(folder, 'berth.yaml')
  writeFileSync(config, JSON.stringify(settings))
  await setUp(data, 'org add team', 'org add ops')
  for (const each of commands) await berthCli(data, [...each.split(' '), '--config', config])
  const berth = await startBerth({ data, ...settings })
  for (const name of hostedNames) await new Pusher(berth.url, name, basic('root')).image('1', name)
  return { berth, said: (asked: string[]) => berthCli(data, ['may', ...asked, '--config', config]) }
}

/** Whether a request does it. */
async function does(url: string, { who, action, name }: Question): Promise<boolean> {
  const headers = who === 'anonymous' ? {} : basic(who)
  const status = async (method: string, path: string, more: { headers?: object; body?: string } = {}) =>
    (await fetchRaw(url + path, { method, ...more, headers: { ...headers, ...more.headers } })).status
  if (action === 'push') return (await status('POST', `/v2/${name}/blobs/uploads/`)) === 202
  if (action === 'delete') return (await status('DELETE', `/v2/${name}/manifests/${absent}`)) === 404
  if (action !== 'administer') return (await status('GET', `/v2/${name}/manifests/1`)) === 200
  const json = { 'content-type': 'application/json' }
  const isPublic = (await fetchRaw(`${url}/v2/${name}/manifests/1`)).status === 200
  const body = JSON.stringify({ name, public: isPublic })
  return (await status('POST', '/api/v1/visibility', { headers: json, body })) === 200
}

it(`berth may says what requests do, and no more (seed ${seed})`, { timeout: 240_000 }, async () => {
  const auth = { kind: 'bearer', users: { me: 'pw' }, private: ['org/secret'] } as const
  const upstream = await startUpstream({ content, auth })
  const line = async (user: string) => `${user}:${await bcrypt(passwordOf(user), 4)}\n`
  const htpasswd = (await line('ann')) + (await line('bob'))
  let yes = 0
  let no = 0
  const property = fc.asyncProperty(
    world,
    fc.array(question, { minLength: 20, maxLength: 20 }),
    async (given, asked) => {
      const { berth, said } = await start(upstream, htpasswd, given)
      for (const question of asked) {
        const { who, action, name } = question
        // Nothing but pulling tells whether what is private may be seen.
        if (action === 'private' && name !== secret) continue
        const answer = await said([who, action, name])
        const also = action === 'private' ? await said([who, 'pull', name]) : ''
        const isTold =
          ![answer, also].some((text) => text.includes('exit code')) && !answer.includes('if everybody may read it')
        const isDone = await does(berth.url, question)
        if (isDone) yes++
        else no++
        expect([question, answer, name === secret ? isTold : !answer.includes('exit code')]).toEqual([
          question,
          answer,
          isDone,
        ])
      }
      await berth.stop()
    },
  )
  const closed: World = {
    anonymous: 'none',
    private: 'open',
    policy: [{ match: '**', pull: ['anyone'], push: ['users'] }],
    commands: ['repo public team'],
  }
  const all = (['anonymous', 'ann'] as const).flatMap((who) =>
    names.map((name): Question => ({ who, action: 'pull', name })),
  )
  await fc.assert(property, { seed, numRuns: 12, endOnFailure: true, examples: [[closed, all]] })
  // The worlds are no desert and no free-for-all.
  expect(yes).toBeGreaterThan(20)
  expect(no).toBeGreaterThan(20)
})

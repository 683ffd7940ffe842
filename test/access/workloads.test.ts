import { SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { expectError } from '../helpers/api-table.ts'
import { berthCli } from '../helpers/cli.ts'
import { makeClock } from '../helpers/clock.ts'
import { fetchRaw } from '../helpers/http.ts'
import { askToken, basic, bearer, startWithUsers } from '../helpers/login.ts'
import { startOpenId, type Claims, type OpenId } from '../helpers/open-id.ts'
import { Pusher } from '../helpers/push.ts'

const audience = 'https://r.example.com'
const job = {
  sub: 'repo:org/app:ref:refs/heads/main',
  aud: audience,
  repository: 'org/app',
  ref: 'refs/heads/main',
} satisfies Claims
const scope = 'repository:team/app:pull,push,delete'

const ruleOf = ({ issuer }: OpenId, more: object = {}) => ({
  issuer,
  audience,
  claims: { repository: 'org/*', ref: 'refs/heads/main' },
  as: 'team',
  scopes: ['team/*:pull,push'],
  ...more,
})

async function startForJobs(now?: () => number) {
  const provider = await startOpenId(now)
  const clock = now && { clock: { now } }
  const berth = await startWithUsers({ ...clock, access: { workloads: [ruleOf(provider)] } })
  const ask = (token: string) => askToken(berth.url, scope, basic('oidc', token))
  return { ...berth, provider, ask }
}

function exchange(url: string, token: string) {
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    scope,
  }
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return fetchRaw(`${url}/token`, { method: 'POST', headers, body: new URLSearchParams(form).toString() })
}

describe('a job with an ID token', () => {
  it.each(['RS256', 'ES256', 'EdDSA'] as const)('gets a token for what its rule opens, signed with %s', async (alg) => {
    const { url, provider, ask } = await startForJobs()
    const idToken = await provider.token(job, alg)
    const given = (await ask(idToken)).json() as { token: string; scope: string }
    expect(given.scope).toBe('repository:team/app:pull,push')
    await new Pusher(url, 'team/app', bearer(given.token)).image('v1')
    const exchanged = (await exchange(url, idToken)).json() as { access_token: string; token_type: string }
    expect(exchanged.token_type).toBe('Bearer')
    expect((await fetchRaw(`${url}/v2/team/app/tags/list`, { headers: bearer(exchanged.access_token) })).status).toBe(
      200,
    )
    expect((await fetchRaw(`${url}/v2/team/app/tags/list`, { headers: basic('oidc', idToken) })).status).toBe(200)
  })

  it('is asked about at its issuer once, and gets no stored login', async () => {
    const { url, provider } = await startForJobs()
    const idToken = await provider.token(job)
    const login = await fetchRaw(`${url}/token?offline_token=true&service=berth`, { headers: basic('oidc', idToken) })
    expect(login.status).toBe(200)
    expect(login.json()).not.toHaveProperty('refresh_token')
    for (const _ of [1, 2, 3]) await fetchRaw(`${url}/v2/`, { headers: basic('oidc', await provider.token(job)) })
    expect(provider.requests).toEqual(['GET /.well-known/openid-configuration', 'GET /jwks'])
  })

  it('is known until its token’s end and not longer', async () => {
    const clock = makeClock()
    const { provider, ask } = await startForJobs(() => clock.now())
    const idToken = await provider.token(job)
    clock.advance(299_000)
    expect((await ask(idToken)).status).toBe(200)
    clock.advance(2_000)
    expectError(await ask(idToken), 'UNAUTHORIZED')
  })

  it('may do no more than its scopes, whatever the account may', async () => {
    const provider = await startOpenId()
    const workloads = [ruleOf(provider, { as: 'root', scopes: ['team/app:pull'] })]
    const { url } = await startWithUsers({ access: { workloads } })
    const headers = basic('oidc', await provider.token(job))
    expect((await askToken(url, scope, headers)).json()).toMatchObject({ scope: 'repository:team/app:pull' })
    expect((await fetchRaw(`${url}/api/v1/accounts`, { headers })).status).not.toBe(200)
    const pushed = await fetchRaw(`${url}/v2/team/app/blobs/uploads/`, { method: 'POST', headers })
    expectError(pushed, 'DENIED')
  })

  it('stands in the audit log with its issuer and subject, its token nowhere', async () => {
    const { data, provider, ask } = await startForJobs()
    const idToken = await provider.token(job)
    await ask(idToken)
    await ask(await provider.token({ ...job, repository: 'other/app' }))
    const said = await berthCli(data, ['audit'])
    expect(said).toContain(`workload ${provider.issuer} ${job.sub}`)
    expect(said).toContain(`wrong ${provider.issuer} ${job.sub}`)
    expect(said).not.toContain(idToken.slice(0, 40))
  })

  it('is told that its issuer is away, which is no refusal, and gets in when it is back', async () => {
    const clock = makeClock()
    const { provider, ask } = await startForJobs(() => clock.now())
    const idToken = await provider.token(job)
    await provider.stop()
    const away = await ask(idToken)
    expect(away.status).toBe(503)
    expect(away.headers['retry-after']).toBe('10')
    expect(away.text()).toContain('cannot be asked for its keys now')
    await provider.start()
    expect((await ask(idToken)).status).toBe(503)
    expect(provider.requests).toEqual([])
    clock.advance(10_001)
    expect((await ask(idToken)).status).toBe(200)
  })
})

describe('an ID token that is not right is refused', () => {
  const inOneHour = () => Math.floor(Date.now() / 1_000) + 3_600
  const forged: Record<string, (provider: OpenId) => string | Promise<string>> = {
    'for another audience': (provider) => provider.token({ ...job, aud: 'https://other.example.com' }),
    'for no audience': (provider) => provider.token({ ...job, aud: undefined }),
    'of another issuer': (provider) => provider.token({ ...job, iss: 'https://issuer.example.com' }),
    'of an issuer with a slash more': (provider) => provider.token({ ...job, iss: `${provider.issuer}/` }),
    'signed by another who names the issuer': async ({ issuer }) =>
      (await startOpenId()).token({ ...job, iss: issuer }),
    expired: (provider) => provider.token({ ...job, exp: Math.floor(Date.now() / 1_000) - 1 }),
    'without an end': (provider) => provider.token({ ...job, exp: undefined }),
    'without a subject': (provider) => provider.token({ ...job, sub: undefined }),
    'not valid yet': (provider) => provider.token({ ...job, nbf: inOneHour(), exp: inOneHour() + 300 }),
    'with a key nobody knows': (provider) => provider.token(job, 'RS256', 'unknown'),
    'with the id of another key': (provider) => provider.token(job, 'RS256', 'ES256'),
    'without a signature': ({ issuer }) => new UnsecuredJWT({ ...job, iss: issuer, exp: inOneHour() }).encode(),
    'signed with the public key as a secret': ({ issuer, publicKey }) =>
      new SignJWT({ ...job, iss: issuer, exp: inOneHour() })
        .setProtectedHeader({ alg: 'HS256', kid: 'RS256' })
        .sign(new TextEncoder().encode(publicKey)),
    'with other claims under its signature': async (provider) => {
      const [header, , signature] = (await provider.token(job)).split('.')
      const other = Buffer.from(JSON.stringify({ ...job, iss: provider.issuer, exp: inOneHour() })).toString(
        'base64url',
      )
      return `${header}.${other}.${signature}`
    },
    'that is no JSON': () => 'eyJh.eyJh.eyJh',
    'of a repository deeper': (provider) => provider.token({ ...job, repository: 'org/app/x' }),
    'of an owner that begins alike': (provider) => provider.token({ ...job, repository: 'org-evil/app' }),
    'of an owner that ends alike': (provider) => provider.token({ ...job, repository: 'evil-org/app' }),
    'of a repository in capitals': (provider) => provider.token({ ...job, repository: 'ORG/app' }),
    'of a repository with a line more': (provider) => provider.token({ ...job, repository: 'org/app\n' }),
    'of a list of repositories': (provider) => provider.token({ ...job, repository: ['org/app'] }),
    'of another branch': (provider) => provider.token({ ...job, ref: 'refs/heads/main2' }),
    'without the claim': (provider) => provider.token({ ...job, ref: undefined }),
  }

  it.each(Object.keys(forged))('%s', async (how) => {
    const { url, provider, ask } = await startForJobs()
    const token = await forged[how]!(provider)
    expectError(await ask(token), 'UNAUTHORIZED')
    expectError(await exchange(url, token), 'UNAUTHORIZED')
    expectError(await fetchRaw(`${url}/v2/`, { headers: basic('oidc', token) }), 'UNAUTHORIZED')
    // The right one is let in all the same: nobody waits for another's mistakes.
    expect((await ask(await provider.token(job))).status).toBe(200)
  })

  it('by the rules of another issuer', async () => {
    const [ours, other] = [await startOpenId(), await startOpenId()]
    const workloads = [ruleOf(ours), ruleOf(other, { claims: { repository: 'elsewhere/*' } })]
    const { url } = await startWithUsers({ access: { workloads } })
    expectError(await askToken(url, scope, basic('oidc', await other.token(job))), 'UNAUTHORIZED')
    const allowed = await other.token({ ...job, repository: 'elsewhere/app' })
    expect((await askToken(url, scope, basic('oidc', allowed))).status).toBe(200)
  })

  it('under another user name, or where there are no rules', async () => {
    const { url, provider } = await startForJobs()
    expectError(await askToken(url, scope, basic('ann', await provider.token(job))), 'UNAUTHORIZED')
    const without = await startWithUsers()
    expectError(await askToken(without.url, scope, basic('oidc', await provider.token(job))), 'UNAUTHORIZED')
  })
})

it('takes the first rule that fits, and an account that is gone opens nothing', async () => {
  const provider = await startOpenId()
  const workloads = [
    ruleOf(provider, { claims: { repository: 'org/app' }, scopes: ['team/app:pull'] }),
    ruleOf(provider),
    ruleOf(provider, { claims: { repository: 'gone/*' }, as: 'nobody-here' }),
  ]
  const { url } = await startWithUsers({ access: { workloads } })
  const scopeOf = async (repository: string) => {
    const answer = await askToken(url, scope, basic('oidc', await provider.token({ ...job, repository })))
    return answer.status === 200 ? (answer.json() as { scope: string }).scope : answer.status
  }
  expect(await scopeOf('org/app')).toBe('repository:team/app:pull')
  expect(await scopeOf('org/tool')).toBe('repository:team/app:pull,push')
  expect(await scopeOf('gone/app')).toBe(401)
})

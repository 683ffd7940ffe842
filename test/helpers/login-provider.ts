import Provider, { type Configuration } from 'oidc-provider'
import type { Seen, Visitor } from './visitor.ts'
import { startOpenIdServer, type Claims, type OpenIdServer } from './open-id.ts'

// A real OpenID provider at which people log in: it takes any password. Its pages are those that oidc-provider has for this.

export interface LoginProviderOptions {
  /** By what they type as their name at the provider, which is their subject as well. */
  people: Record<string, Claims>
  /** Whether all claims are in the ID token, and not only at the userinfo endpoint. */
  inIdToken?: boolean
}

export interface LoginProvider extends OpenIdServer {
  /** An entry of access.oidc. Its secret is in this file. */
  settings(secretFile: string, more?: object): Record<string, unknown>
  /** Lets a registry at this URL in as a client. */
  admit(url: string): void
  /** What the next ones ask for tokens get instead; an ID token is made for each request. Undefined: the right ones. */
  answerTokens(forge: (() => Promise<object> | object) | undefined): void
}

export const clientSecret = 'the secret: of & berth'

export async function startLoginProvider({ people, inIdToken = false }: LoginProviderOptions): Promise<LoginProvider> {
  const { answerBy, keys, publicKey: _, ...server } = await startOpenIdServer()
  const { issuer } = server
  let forge: (() => Promise<object> | object) | undefined
  const settingsOf = (url: string): Configuration => ({
    clients: [
      {
        client_id: 'berth',
        client_secret: clientSecret,
        redirect_uris: [`${url}/login/oidc/corp/callback`],
        post_logout_redirect_uris: [`${url}/`],
      },
    ],
    claims: {
      openid: ['sub'],
      profile: ['preferred_username', 'name'],
      email: ['email', 'email_verified'],
      groups: ['groups'],
    },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ ...people[id], sub: id }) }),
    conformIdTokenClaims: !inIdToken,
    pkce: { required: () => true },
    jwks: { keys },
    cookies: { keys: ['of a test'] },
  })
  return {
    ...server,
    settings: (secretFile, more = {}) => {
      const scopes = ['openid', 'profile', 'email', 'groups']
      const known = { name: 'corp', label: 'Example Corp', issuer, clientId: 'berth', clientSecretFile: secretFile }
      return { ...known, scopes, ...more }
    },
    admit(url) {
      const answer = new Provider(issuer, settingsOf(url)).callback()
      answerBy((request, response) => {
        if (request.url !== '/token' || !forge) return void answer(request, response)
        request.resume()
        void Promise.resolve(forge()).then((tokens) => {
          response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(tokens))
        })
      })
    },
    answerTokens: (by) => (forge = by),
  }
}

/** Where a browser that clicks the provider's button comes to at first, at the provider or here. */
export async function beginAt(url: string, visitor: Visitor, next = '/'): Promise<Seen> {
  const page = await visitor.get(`${url}/login?next=${encodeURIComponent(next)}`)
  return visitor.follow(await visitor.submit(page, '/login/oidc/corp'))
}

/** Types a name at the provider and agrees to all. `until`: as in `follow`. */
export async function goThrough(
  at: Seen,
  visitor: Visitor,
  login: string,
  until?: (url: string) => boolean,
): Promise<Seen> {
  // Whom the provider knows from before is sent back at once.
  if (!at.url.includes('/interaction/')) return at
  const form = new URL(at.url).pathname
  const agree = await visitor.follow(await visitor.submit(at, form, { login, password: 'any' }), until)
  if (!agree.url.includes('/interaction/')) return agree
  return visitor.follow(await visitor.submit(agree, new URL(agree.url).pathname), until)
}

/** The whole way: the page that a browser ends at. */
export async function logInBy(url: string, visitor: Visitor, login: string, next?: string): Promise<Seen> {
  return goThrough(await beginAt(url, visitor, next), visitor, login)
}

import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { loginLifetime, sessionLifetime } from '../access/access.ts'
import { sessionCookie, type AdminContext } from '../admin/admin.ts'
import { RegistryError } from '../oci/errors.ts'
import type { WebCall, WebParts } from './call.ts'
import { pathHere } from './links.ts'
import { ForwardPage } from './pages/forward.tsx'
import { LoginPage } from './pages/login.tsx'
import { html } from './respond.tsx'

/** A login that was begun at a provider, for this browser alone to end. */
const loginCookie = 'berth_login'
/** What the provider wants to see when it is asked to log out. */
const idTokenCookie = 'berth_id_token'
/** Bytes; browsers keep no cookie larger than 4 KiB. */
const largestIdToken = 3_500

type Form = ReadonlyMap<string, string>

/** Leads to the provider. By a page, not by a redirect: that of a form may not leave for another server. */
export async function beginLogin(c: AdminContext, call: WebCall, parts: WebParts, form: Form): Promise<Response> {
  const next = pathHere(form.get('next') ?? '')
  const name = c.req.param('provider') ?? ''
  try {
    const redirectUri = `${expectUrl(call)}/login/oidc/${name}/callback`
    const { url, label, sealed } = await parts.access.providers.begin(name, { redirectUri, next }, call.visitor.address)
    setCookie(c, loginCookie, sealed, { ...cookieOf(call, '/login/oidc'), maxAge: loginLifetime })
    return forward(c, call, { url, title: `Log in with ${label}` })
  } catch (error) {
    return refused(c, call, error)
  }
}

/** The browser is back: it goes on to the page that it came from, or is told why not. */
export async function finishLogin(c: AdminContext, call: WebCall, { access }: WebParts): Promise<Response> {
  const { searchParams: query } = new URL(c.req.url)
  const sealed = getCookie(c, loginCookie) ?? ''
  const back = { sealed, query, address: call.visitor.address }
  try {
    const { identity, next, idToken } = await access.providers.finish(c.req.param('provider') ?? '', back)
    deleteCookie(c, loginCookie, { path: '/login/oidc' })
    const maxAge = sessionLifetime
    setCookie(c, sessionCookie, await access.openSession(identity), { ...cookieOf(call, '/'), maxAge })
    if (idToken.length <= largestIdToken) setCookie(c, idTokenCookie, idToken, { ...cookieOf(call, '/logout'), maxAge })
    return c.redirect(pathHere(next), 303)
  } catch (error) {
    return refused(c, call, error)
  }
}

/** Ends the session here; who came from a provider that has a place to log out goes on to it. */
export async function logout(c: AdminContext, call: WebCall, { access }: WebParts): Promise<Response> {
  const idToken = getCookie(c, idTokenCookie)
  deleteCookie(c, sessionCookie, { path: '/' })
  deleteCookie(c, idTokenCookie, { path: '/logout' })
  const returnTo = `${call.url ?? ''}/`
  const there = await access.providers.logout(call.visitor.identity, { returnTo, idToken })
  return there ? forward(c, call, { url: there.url, title: `Log out of ${there.label}` }) : c.redirect('/', 303)
}

function forward(
  c: AdminContext,
  { frame }: WebCall,
  to: { url: string; title: string },
): Response | Promise<Response> {
  c.header('Refresh', `0;url=${to.url}`)
  c.header('Cache-Control', 'no-store')
  return html(c, <ForwardPage frame={frame} {...to} />, 200)
}

function refused(c: AdminContext, { frame }: WebCall, error: unknown): Response | Promise<Response> {
  if (!(error instanceof RegistryError) || error.code === 'NAME_UNKNOWN') throw error
  return html(c, <LoginPage frame={frame} next="/" problem={error.message} />, error.status)
}

function expectUrl({ url }: WebCall): string {
  if (url !== undefined) return url
  throw new RegistryError('UNAVAILABLE', 'this registry does not know its own address: it needs publicUrl', {
    status: 503,
  })
}

function cookieOf({ isSecure }: WebCall, path: string) {
  return { httpOnly: true, sameSite: 'Lax', path, secure: isSecure } as const
}

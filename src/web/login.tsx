import { setCookie } from 'hono/cookie'
import { sessionLifetime } from '../access/access.ts'
import { sessionCookie, type AdminContext } from '../admin/admin.ts'
import { RegistryError } from '../oci/errors.ts'
import type { WebCall, WebParts } from './call.ts'
import { pathHere } from './links.ts'
import { LoginPage } from './pages/login.tsx'
import { html, type Rendered } from './respond.tsx'

export async function loginForm(call: WebCall): Promise<Rendered> {
  return <LoginPage frame={call.frame} next={pathHere(call.text('next'))} />
}

/** Answers with the page that somebody wanted to see, or with the form once more. */
export async function login(
  c: AdminContext,
  call: WebCall,
  { access }: WebParts,
  form: ReadonlyMap<string, string>,
): Promise<Response> {
  const next = pathHere(form.get('next') ?? '')
  const given = { username: form.get('username') ?? '', password: form.get('password') ?? '' }
  try {
    const identity = await access.login(given, call.visitor.address)
    const cookie = {
      httpOnly: true,
      sameSite: 'Lax',
      path: '/',
      secure: call.isSecure,
      maxAge: sessionLifetime,
    } as const
    setCookie(c, sessionCookie, await access.openSession(identity), cookie)
    return c.redirect(next, 303)
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    const shown = <LoginPage frame={call.frame} next={next} problem={error.message} />
    return html(c, shown, error.status)
  }
}

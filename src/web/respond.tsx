import { html as template } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { AdminContext } from '../admin/admin.ts'
import { isAbsence, RegistryError } from '../oci/errors.ts'
import { WebCall, type WebParts } from './call.ts'
import { ErrorPage } from './pages/error.tsx'
import { LoginPage } from './pages/login.tsx'

export type Rendered = HtmlEscapedString | Promise<HtmlEscapedString>

/** Answers with a page, or with what `render` answers by itself. Every error that concerns who asks becomes a page, too. */
export async function page(
  c: AdminContext,
  parts: WebParts,
  render: (call: WebCall) => Promise<Rendered | Response>,
): Promise<Response> {
  const call = await WebCall.of(c, parts)
  c.header('Cache-Control', 'private, no-cache')
  try {
    const rendered = await render(call)
    return rendered instanceof Response ? rendered : html(c, rendered, 200)
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    for (const [name, value] of Object.entries(error.headers)) c.header(name, value)
    return html(c, errorPage(c, call, error), error.status)
  }
}

export function html(c: AdminContext, body: Rendered, status: number): Response | Promise<Response> {
  return c.html(document(body), status as ContentfulStatusCode)
}

/** As `page`, for a form: what it holds, once it is certain that the visitor has sent it from here. */
export function action(
  c: AdminContext,
  parts: WebParts,
  act: (call: WebCall, form: ReadonlyMap<string, string>) => Promise<Response>,
): Promise<Response> {
  return page(c, parts, async (call) => {
    const body = await c.req.parseBody()
    if (!parts.tokens.isRight(body.token, call.browser)) {
      throw new RegistryError(
        'DENIED',
        'the form was too old, or not from here: go back, load the page again and try once more',
      )
    }
    const texts = Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    return act(call, new Map(texts))
  })
}

/** For a form that is not one of the page's. */
export function unknownAction(): RegistryError {
  return new RegistryError('UNSUPPORTED', 'the form says no action that is known', { status: 400 })
}

const document = (body: Rendered) => template`<!doctype html>${body}`

const titles: Record<number, string> = { 403: 'Not for you', 404: 'Not here' }

function errorPage(c: AdminContext, { frame }: WebCall, error: RegistryError): Rendered {
  const { status, message } = error
  if (status === 401) {
    const { pathname, search } = new URL(c.req.url)
    // Who has not tried yet is asked; who has is told that it was wrong.
    const why = c.req.header('authorization') === undefined ? { reason: message } : { problem: message }
    return <LoginPage frame={frame} next={c.req.method === 'GET' ? pathname + search : '/'} {...why} />
  }
  const isPull = isAbsence(error) && c.req.path.startsWith('/r/')
  const command = isPull
    ? `docker pull ${frame.host}/${decodePath(c.req.path).slice(3).replace('/t/', ':')}`
    : undefined
  return <ErrorPage frame={frame} title={titles[status] ?? 'That did not work'} message={message} command={command} />
}

/** Throws NAME_INVALID. */
export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch (cause) {
    throw new RegistryError('NAME_INVALID', 'the address is not well-formed', { cause })
  }
}

// Pages: the registry for people. Rendered here, complete without scripts; what they show and do is the admin room's.
import { Hono } from 'hono'
import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import { secureHeaders } from 'hono/secure-headers'
import type { HttpBindings } from '@hono/node-server'
import { difference, type Admin, type AdminContext, type Doorway } from '../admin/admin.ts'
import { parseDigest } from '../oci/digest.ts'
import { isAbsence, RegistryError } from '../oci/errors.ts'
import { parseReference } from '../oci/reference.ts'
import { Assets } from './assets.ts'
import { WebCall, type WebParts } from './call.ts'
import { imagePath, parseTarget, repositoryPath } from './links.ts'
import { ErrorPage } from './pages/error.tsx'
import { HomePage } from './pages/home.tsx'
import { ImagePage } from './pages/image.tsx'
import { RepositoryPage } from './pages/repository.tsx'
import { SearchPage } from './pages/search.tsx'
import { FormTokens } from './tokens.ts'

export interface WebOptions extends Doorway {
  admin: Admin
  now?: () => number
}

type WebApp = Hono<{ Bindings: HttpBindings }>
type Rendered = HtmlEscapedString | Promise<HtmlEscapedString>

/** How many repositories each list of the front page has. */
const shown = 8

const policy = {
  defaultSrc: ["'none'"],
  styleSrc: ["'self'"],
  scriptSrc: ["'self'"],
  imgSrc: ["'self'"],
  connectSrc: ["'self'"],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
}

/** Routes the pages. Whatever else a browser asks for is answered by a page that says so; other clients fall through. */
export function webApp({ now = Date.now, ...options }: WebOptions): WebApp {
  const parts: WebParts = { ...options, assets: new Assets(), tokens: new FormTokens(), now }
  const { admin } = parts
  const app: WebApp = new Hono()
  const headers = secureHeaders({
    contentSecurityPolicy: policy,
    referrerPolicy: 'same-origin',
    // Whoever ends TLS in front of us decides on this.
    strictTransportSecurity: false,
  })
  for (const path of ['/', '/search', '/r/*', '/login']) app.use(path, headers)
  assetRoute(app, parts)
  app.get('/', (c) => page(c, parts, (call) => home(call, admin)))
  app.get('/search', (c) => page(c, parts, (call) => search(call, admin)))
  app.get('/r/:name{.+}', (c) => page(c, parts, (call) => target(c, call, admin)))
  app.get('/login', (c) => page(c, parts, () => login(c, parts)))
  return app
}

function assetRoute(app: WebApp, { assets }: WebParts): void {
  app.get('/assets/:file', (c) => {
    const asset = assets.find(c.req.path)
    if (!asset) return c.text('no such file\n', 404)
    const forEver = 'public, max-age=31536000, immutable'
    return c.body(asset.body, 200, {
      'Content-Type': asset.type,
      'Cache-Control': forEver,
      'X-Content-Type-Options': 'nosniff',
    })
  })
}

async function page(
  c: AdminContext,
  parts: WebParts,
  render: (call: WebCall) => Promise<Rendered | Response>,
): Promise<Response> {
  const call = await WebCall.of(c, parts)
  c.header('Cache-Control', 'private, no-cache')
  try {
    const rendered = await render(call)
    return rendered instanceof Response ? rendered : c.html(document(rendered))
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    for (const [name, value] of Object.entries(error.headers)) c.header(name, value)
    return c.html(document(errorPage(c, call, error)), error.status as 404)
  }
}

const document = (body: Rendered) => html`<!doctype html>${body}`

async function home(call: WebCall, { repositories }: Admin): Promise<Rendered> {
  const list = (order: 'pulls' | 'updated') => repositories.search(call.visitor, { text: '', order, page: 1 })
  const [mostPulled, updated] = await Promise.all([list('pulls'), list('updated')])
  return (
    <HomePage
      frame={call.frame}
      mostPulled={mostPulled.items.slice(0, shown)}
      updated={updated.items.slice(0, shown)}
    />
  )
}

async function search(call: WebCall, { repositories }: Admin): Promise<Rendered> {
  const text = call.text('q')
  const order = call.choice('order', ['pulls', 'updated', 'name'])
  const { items, page, more } = await repositories.search(call.visitor, { text, order, page: call.page })
  return <SearchPage frame={call.frame} text={text} order={order} page={page} more={more} repositories={items} />
}

async function target(c: AdminContext, call: WebCall, admin: Admin): Promise<Rendered | Response> {
  const asked = parseTarget(decodePath(c.req.path).slice('/r/'.length))
  const name = admin.locate(asked.name)
  const reference = asked.reference === undefined ? undefined : parseReference(asked.reference)
  if (name !== asked.name) return c.redirect(reference ? imagePath(name, reference) : repositoryPath(name))
  if (reference === undefined) return repository(call, admin, name)
  return image(call, admin, { name, reference })
}

type Name = ReturnType<Admin['locate']>

async function repository(call: WebCall, { repositories }: Admin, name: Name): Promise<Rendered> {
  const query = {
    text: call.text('q'),
    order: call.choice('order', ['updated', 'name', 'pulled', 'pulls']),
    descending: call.choice('direction', ['down', 'up']) === 'down',
    page: call.page,
  }
  const found = await repositories.get(call.visitor, name)
  const tags = await repositories.tags(call.visitor, name, query)
  return <RepositoryPage frame={call.frame} repository={found} tags={tags} search={query} />
}

async function image(
  call: WebCall,
  { images }: Admin,
  at: { name: Name; reference: ReturnType<typeof parseReference> },
): Promise<Rendered> {
  const platform = call.text('platform')
  const view = await images.get(call.visitor, at.name, at.reference, platform)
  const other = call.text('compare')
  if (other === '') return <ImagePage frame={call.frame} view={view} compared={undefined} />
  const from = parseDigest(other)
  const pair = await images.pair(call.visitor, at.name, [from, view.digest], platform)
  const compared = { from, to: view.digest, difference: difference(pair.from, pair.to) }
  return <ImagePage frame={call.frame} view={view} compared={compared} />
}

/** The browser's own form asks for name and password, once this page says that they are wanted. */
async function login(c: AdminContext, { access }: WebParts): Promise<Response> {
  const identity = access.identify(c.env.incoming.headers.authorization)
  if (identity.user === undefined) access.enter({ user: undefined, wrong: true }, false)
  return c.redirect('/')
}

function errorPage(c: AdminContext, call: WebCall, error: RegistryError): Rendered {
  const { frame } = call
  const { status, message } = error
  const isPull = isAbsence(error) && c.req.path.startsWith('/r/')
  const command = isPull
    ? `docker pull ${frame.host}/${decodePath(c.req.path).slice(3).replace('/t/', ':')}`
    : undefined
  return <ErrorPage frame={frame} title={titles[status] ?? 'That did not work'} message={message} command={command} />
}

const titles: Record<number, string> = { 401: 'Log in', 403: 'Not for you', 404: 'Not here' }

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch (cause) {
    throw new RegistryError('NAME_INVALID', 'the address is not well-formed', { cause })
  }
}

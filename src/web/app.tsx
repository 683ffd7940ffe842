// Pages: the registry for people. Rendered here, complete without scripts; what they show and do is the admin room's.
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { csrf } from 'hono/csrf'
import { secureHeaders } from 'hono/secure-headers'
import type { HttpBindings } from '@hono/node-server'
import type { Admin, AdminContext, Doorway } from '../admin/admin.ts'
import { RegistryError } from '../oci/errors.ts'
import { addAccount, changeAccount, changeOwn, listAccounts, ownAccount, showAccount, showAudit } from './accounts.tsx'
import { Assets } from './assets.ts'
import type { WebParts } from './call.ts'
import { act, home, search, show } from './explore.tsx'
import { login, loginForm } from './login.tsx'
import { cache, collect, collection, fills, operate } from './operate.tsx'
import { beginLogin, finishLogin, logout } from './providers.tsx'
import { Readmes } from './readmes.ts'
import { action, page } from './respond.tsx'
import { FormTokens } from './tokens.ts'
import { fetchWarm, showWarm, showWarmRun } from './warm.tsx'
import { listWebhooks, showWebhook, tellWebhook } from './webhooks.tsx'

export interface WebOptions extends Doorway {
  admin: Admin
  /** Aborted when the server stops: streams to browsers end then. */
  stopping: AbortSignal
  now?: () => number
}

type WebApp = Hono<{ Bindings: HttpBindings }>

/** Room for a README and what a browser puts around it, in bytes: the line ends of a form take two. */
const largestForm = 256 * 1024

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

const pagePaths = [
  ...['/', '/search', '/r/*', '/cache', '/cache/*'],
  ...['/account', '/accounts', '/accounts/*', '/audit', '/login', '/login/oidc/*', '/logout'],
  ...['/webhooks', '/webhooks/*', '/warm', '/warm/*'],
]

/** Routes the pages; whatever else is asked for falls through. */
export function webApp({ now = Date.now, stopping, ...options }: WebOptions): WebApp {
  const parts: WebParts = {
    ...options,
    assets: new Assets(),
    tokens: new FormTokens(),
    readmes: new Readmes(stopping),
    now,
  }
  const { admin } = parts
  const app: WebApp = new Hono()
  guardPages(app, parts)
  assetRoute(app, parts)
  app.get('/', (c) => page(c, parts, (call) => home(call, admin)))
  app.get('/search', (c) => page(c, parts, (call) => search(call, admin)))
  app.get('/r/:name{.+}', (c) => page(c, parts, (call) => show(c, call, parts)))
  app.post('/r/:name{.+}', (c) => action(c, parts, (call, form) => act(c, call, parts, form)))
  app.get('/cache', (c) => page(c, parts, (call) => cache(call, admin)))
  app.post('/cache', (c) => action(c, parts, (call, form) => operate(c, call, admin, form)))
  app.get('/cache/events', (c) => page(c, parts, (call) => fills(c, call, admin, stopping)))
  app.get('/cache/collection', (c) => page(c, parts, (call) => collection(call, admin)))
  app.post('/cache/collection', (c) => action(c, parts, (call) => collect(c, call, admin)))
  app.get('/account', (c) => page(c, parts, (call) => ownAccount(call, admin)))
  app.post('/account', (c) => action(c, parts, (call, form) => changeOwn(c, call, admin, form)))
  app.get('/accounts', (c) => page(c, parts, (call) => listAccounts(call, admin)))
  app.post('/accounts', (c) => action(c, parts, (call, form) => addAccount(c, call, admin, form)))
  app.get('/accounts/:name', (c) => page(c, parts, (call) => showAccount(c, call, admin)))
  app.post('/accounts/:name', (c) => action(c, parts, (call, form) => changeAccount(c, call, admin, form)))
  app.get('/warm', (c) => page(c, parts, (call) => showWarm(call, admin)))
  app.post('/warm', (c) => action(c, parts, (call, form) => fetchWarm(c, call, admin, form)))
  app.get('/warm/:id', (c) => page(c, parts, (call) => showWarmRun(c, call, admin)))
  app.post('/warm/:id', (c) => action(c, parts, (call, form) => fetchWarm(c, call, admin, form)))
  app.get('/webhooks', (c) => page(c, parts, (call) => listWebhooks(call, admin)))
  app.get('/webhooks/:name', (c) => page(c, parts, (call) => showWebhook(c, call, admin)))
  app.post('/webhooks/:name', (c) => action(c, parts, (call, form) => tellWebhook(c, call, admin, form)))
  app.get('/audit', (c) => page(c, parts, (call) => showAudit(call, admin)))
  app.get('/login', (c) => page(c, parts, (call) => loginForm(call)))
  app.post('/login', (c) => action(c, parts, (call, form) => login(c, call, parts, form)))
  app.post('/login/oidc/:provider', (c) => action(c, parts, (call, form) => beginLogin(c, call, parts, form)))
  app.get('/login/oidc/:provider/callback', (c) => page(c, parts, (call) => finishLogin(c, call, parts)))
  app.post('/logout', (c) => action(c, parts, (call) => logout(c, call, parts)))
  return app
}

/** No page is framed, none runs what is not ours, and no form comes from elsewhere. */
function guardPages(app: WebApp, parts: WebParts): void {
  const headers = secureHeaders({
    contentSecurityPolicy: policy,
    referrerPolicy: 'same-origin',
    // Whoever ends TLS in front of us decides on this.
    strictTransportSecurity: false,
  })
  const sameOrigin = csrf()
  const tooLarge = () => new RegistryError('SIZE_INVALID', `a form must have at most ${largestForm} bytes`)
  const onError = (c: AdminContext) => page(c, parts, () => Promise.reject(tooLarge()))
  const small = bodyLimit({ maxSize: largestForm, onError })
  for (const path of pagePaths) app.use(path, headers, sameOrigin, small)
}

function assetRoute(app: WebApp, { assets }: WebParts): void {
  app.get('/assets/:file', (c) => {
    const asset = assets.find(c.req.path)
    if (!asset) return c.text('no such file\n', 404)
    return c.body(asset.body, 200, {
      'Content-Type': asset.type,
      'Cache-Control': 'public, max-age=31536000, immutable',
      'X-Content-Type-Options': 'nosniff',
    })
  })
}

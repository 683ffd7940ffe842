// The admin API: what pages show and do, for programs and the command line. Its description, which clients can be made from, is
// served with it.
import type { Hono } from 'hono'
import type { HttpBindings } from '@hono/node-server'
import type { Admin } from './admin.ts'
import { accountRoutes } from './accounts-api.ts'
import { cacheRoutes } from './cache-api.ts'
import { descriptionRoutes } from './description-api.ts'
import { historyRoutes } from './history-api.ts'
import { imageRoutes } from './image-api.ts'
import { apiPrefix } from './operation.ts'
import type { AdminContext } from './request.ts'
import { Routes, type OpenApiDocument } from './routes.ts'
import type { Visitor } from './visitor.ts'
import { warmRoutes } from './warm-api.ts'
import { webhookRoutes } from './webhooks-api.ts'

export type AdminApp = Hono<{ Bindings: HttpBindings }>

/** Routes every operation, for whoever `visitorOf` takes the caller for. */
export function adminApi(admin: Admin, visitorOf: (c: AdminContext) => Promise<Visitor>): AdminApp {
  const routes = new Routes(visitorOf)
  imageRoutes(routes, admin)
  historyRoutes(routes, admin)
  descriptionRoutes(routes, admin)
  cacheRoutes(routes, admin)
  accountRoutes(routes, admin)
  warmRoutes(routes, admin)
  webhookRoutes(routes, admin)
  const description =
    'Administration beside the distribution API. Times are in milliseconds since 1970, sizes in bytes.'
  // Made when it is first asked for: a start need not wait for it, nor hold its 4 MiB.
  let document: OpenApiDocument | undefined
  const described = () => (document ??= routes.document({ title: 'Berth', version: '1', description }))
  routes.app.get(`${apiPrefix}/openapi.json`, (c) => c.json(described()))
  routes.app.get(apiPrefix, (c) => c.redirect(`${apiPrefix}/openapi.json`))
  return routes.app
}

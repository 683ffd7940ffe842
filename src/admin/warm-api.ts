import { RegistryError } from '../oci/errors.ts'
import type { Admin } from './admin.ts'
import * as operations from './operations/warm.ts'
import type { Routes } from './routes.ts'

export function warmRoutes(routes: Routes, { warm }: Admin): void {
  routes.add(operations.viewWarm, (visitor) => warm.view(visitor))
  routes.add(operations.fetchWarm, (visitor, { list, references, ...rest }) => {
    if (list !== undefined && references === undefined) return warm.fetchList(visitor, list)
    if (references !== undefined && list === undefined) return warm.fetch(visitor, { references, ...rest })
    throw new RegistryError('UNSUPPORTED', 'the request: must name a list or references', { status: 400 })
  })
  routes.add(operations.getRun, (visitor, { id }) => warm.run(visitor, id))
  routes.add(operations.stopRun, async (visitor, { id }) => ({ stopped: await warm.cancel(visitor, id) }))
}

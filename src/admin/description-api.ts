import type { Admin } from './admin.ts'
import * as operations from './operations/descriptions.ts'
import type { Routes } from './routes.ts'

export function descriptionRoutes(routes: Routes, { descriptions, locate }: Admin): void {
  routes.add(operations.getDescription, (visitor, { name }) => descriptions.get(visitor, locate(name)))
  routes.add(operations.describe, (visitor, { name, ...change }) => descriptions.change(visitor, locate(name), change))
}

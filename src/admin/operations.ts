// Every call of the admin API. Who calls it needs no more of this room.
export { apiPrefix, operatorHeader, type Answer, type Given, type Operation } from './operation.ts'
export * as accounts from './operations/accounts.ts'
export * as cache from './operations/cache.ts'
export * as images from './operations/images.ts'
export * as namespaces from './operations/namespaces.ts'
export * as rights from './operations/rights.ts'

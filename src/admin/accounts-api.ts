import { parseRepositoryName } from '../oci/reference.ts'
import type { Admin } from './admin.ts'
import * as operations from './operations/accounts.ts'
import * as spaces from './operations/namespaces.ts'
import * as rights from './operations/rights.ts'
import type { Routes } from './routes.ts'
import { isDone } from './schemas.ts'

export function accountRoutes(routes: Routes, admin: Admin): void {
  ownRoutes(routes, admin)
  changeRoutes(routes, admin)
  rightRoutes(routes, admin)
  namespaceRoutes(routes, admin)
}

function ownRoutes(routes: Routes, { accounts }: Admin): void {
  routes.add(operations.logIn, (visitor, given) => accounts.logIn(visitor, given))
  routes.add(operations.listTokens, (visitor, { owner }) => accounts.revocableTokens(visitor, owner))
  routes.add(operations.createToken, (visitor, { lifetime, ...order }) =>
    accounts.createToken(visitor, { ...order, lifetime }),
  )
  routes.add(operations.revokeToken, (visitor, { id }) => accounts.revokeToken(visitor, id))
  routes.add(operations.changePassword, (visitor, change) => accounts.changePassword(visitor, change).then(isDone))
}

function changeRoutes(routes: Routes, { accounts }: Admin): void {
  routes.add(operations.listAccounts, (visitor) => accounts.list(visitor))
  routes.add(operations.getAccount, (visitor, { name }) => accounts.get(visitor, name))
  routes.add(operations.addUser, (visitor, { name, ...given }) => accounts.addUser(visitor, name, given).then(isDone))
  routes.add(operations.addOrganization, (visitor, { name }) => accounts.addOrganization(visitor, name).then(isDone))
  routes.add(operations.removeAccount, (visitor, { name, kind }) => accounts.remove(visitor, name, kind).then(isDone))
  routes.add(operations.setPassword, (visitor, { name, password }) =>
    accounts.setPassword(visitor, name, password).then(isDone),
  )
  routes.add(operations.linkLogin, (visitor, { user, ...link }) => accounts.link(visitor, user, link).then(isDone))
  routes.add(operations.unlinkLogin, (visitor, { user, ...link }) => accounts.unlink(visitor, user, link).then(isDone))
}

function rightRoutes(routes: Routes, admin: Admin): void {
  const { accounts } = admin
  routes.add(rights.setMember, (visitor, { organization, user, role }) =>
    accounts.setMember(visitor, organization, user, role).then(isDone),
  )
  routes.add(rights.listGrants, (visitor) => accounts.grants(visitor))
  routes.add(rights.setGrant, (visitor, { name, account, role }) =>
    accounts.setGrant(visitor, name, account, role).then(isDone),
  )
  routes.add(rights.listVisibility, (visitor) => accounts.publicity(visitor))
  routes.add(rights.setVisibility, (visitor, given) =>
    accounts.setPublic(visitor, parseRepositoryName(given.name), given.public).then(isDone),
  )
  routes.add(rights.explain, (visitor, asked) => admin.explain(visitor, asked))
  routes.add(rights.listAudit, (visitor, { before, ...filter }) => admin.audit.page(visitor, { ...filter, before }))
  routes.add(rights.readAudit, (visitor, { since, ...query }) => admin.audit.log(visitor, { ...query, since }))
}

function namespaceRoutes(routes: Routes, { namespaces }: Admin): void {
  routes.add(spaces.listNamespaces, (visitor) => namespaces.list(visitor))
  routes.add(spaces.addNamespace, async (visitor, { name }) => ({ added: await namespaces.add(visitor, name) }))
  routes.add(spaces.removeNamespace, (visitor, { name }) => namespaces.remove(visitor, name).then(isDone))
}

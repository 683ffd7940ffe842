import { z } from 'zod'
import type { Admin } from './admin.ts'
import type { Routes } from './routes.ts'
import * as schema from './schemas.ts'

const { done } = schema
const name = z.string().meta({ examples: ['alice'] })
const password = z.string()
const role = z.enum(['owner', 'writer', 'reader']).optional()

/** Users, organizations, tokens, grants, and what all of them did. */
export function accountRoutes(routes: Routes, admin: Admin): void {
  ownRoutes(routes, admin)
  listRoutes(routes, admin)
  changeRoutes(routes, admin)
  linkRoutes(routes, admin)
  rightRoutes(routes, admin)
  auditRoute(routes, admin)
}

function auditRoute(routes: Routes, admin: Admin): void {
  const text = z.string().default('')
  routes.add(
    {
      method: 'get',
      path: '/audit',
      summary: 'Who did what, newest first',
      input: z.object({ user: text, name: text, action: text, before: z.coerce.number().int().optional() }),
      answer: schema.auditPage,
    },
    (visitor, { before, ...filter }) => admin.audit(visitor, { ...filter, before }),
  )
}

function ownRoutes(routes: Routes, { accounts }: Admin): void {
  routes.add(
    {
      method: 'get',
      path: '/tokens',
      summary: 'The caller’s tokens, and those of organizations that the caller owns',
      input: z.object({}),
      answer: z.array(schema.token).readonly(),
    },
    (visitor) => accounts.tokens(visitor),
  )
  routes.add(
    {
      method: 'post',
      path: '/tokens',
      summary: 'Create a token; it is in this answer and nowhere else',
      input: z.object({
        owner: name,
        name: z.string().max(100).default(''),
        scopes: z
          .array(z.string())
          .min(1)
          .meta({ examples: [['team/*:pull,push']] }),
        lifetime: z.number().int().positive().optional().meta({ description: 'milliseconds; absent: for ever' }),
      }),
      answer: z.object({ token: z.string(), record: schema.token }),
    },
    (visitor, { lifetime, ...order }) => accounts.createToken(visitor, { ...order, lifetime }),
  )
  routes.add(
    { method: 'delete', path: '/tokens', summary: 'Revoke a token', input: z.object({ id: z.string() }), answer: done },
    (visitor, { id }) => accounts.revokeToken(visitor, id).then(schema.isDone),
  )
  routes.add(
    {
      method: 'post',
      path: '/password',
      summary: 'Change the caller’s password',
      input: z.object({ present: password, next: password }),
      answer: done,
    },
    (visitor, change) => accounts.changePassword(visitor, change).then(schema.isDone),
  )
}

function listRoutes(routes: Routes, { accounts }: Admin): void {
  routes.add(
    {
      method: 'get',
      path: '/accounts',
      summary: 'Users and organizations',
      input: z.object({}),
      answer: z.array(schema.account).readonly(),
    },
    (visitor) => accounts.list(visitor),
  )
  routes.add(
    {
      method: 'get',
      path: '/account',
      summary: 'A user or an organization',
      input: z.object({ name }),
      answer: schema.accountDetails,
    },
    (visitor, { name }) => accounts.get(visitor, name),
  )
}

function changeRoutes(routes: Routes, { accounts }: Admin): void {
  routes.add(
    {
      method: 'post',
      path: '/users',
      summary: 'Add a user, whose namespace is hosted from then on',
      input: z.object({ name, password, admin: z.boolean().default(false) }),
      answer: done,
    },
    (visitor, { name, ...given }) => accounts.addUser(visitor, name, given).then(schema.isDone),
  )
  routes.add(
    {
      method: 'post',
      path: '/organizations',
      summary: 'Add an organization, whose namespace is hosted from then on',
      input: z.object({ name }),
      answer: done,
    },
    (visitor, { name }) => accounts.addOrganization(visitor, name).then(schema.isDone),
  )
  routes.add(
    {
      method: 'delete',
      path: '/account',
      summary: 'Remove an account with its tokens, memberships and grants; what was pushed stays',
      input: z.object({ name }),
      answer: done,
    },
    (visitor, { name }) => accounts.remove(visitor, name).then(schema.isDone),
  )
  routes.add(
    {
      method: 'post',
      path: '/users/password',
      summary: 'Give a user another password',
      input: z.object({ name, password }),
      answer: done,
    },
    (visitor, { name, password }) => accounts.setPassword(visitor, name, password).then(schema.isDone),
  )
}

function linkRoutes(routes: Routes, { accounts }: Admin): void {
  const input = z.object({
    user: name,
    provider: z.string().meta({ description: 'a provider of access.oidc', examples: ['corp'] }),
    subject: z.string().meta({ description: 'what the provider calls who logs in there (sub)' }),
  })
  routes.add(
    { method: 'post', path: '/links', summary: 'Say that a login at a provider is this user', input, answer: done },
    (visitor, { user, ...link }) => accounts.link(visitor, user, link).then(schema.isDone),
  )
  routes.add(
    { method: 'delete', path: '/links', summary: 'Say that it is no more', input, answer: done },
    (visitor, { user, ...link }) => accounts.unlink(visitor, user, link).then(schema.isDone),
  )
}

function rightRoutes(routes: Routes, { accounts, locate }: Admin): void {
  routes.add(
    {
      method: 'post',
      path: '/members',
      summary: 'Set what a user is in an organization; without a role, a member no more',
      input: z.object({ organization: name, user: name, role }),
      answer: done,
    },
    (visitor, { organization, user, role }) =>
      accounts.setMember(visitor, organization, user, role).then(schema.isDone),
  )
  routes.add(
    {
      method: 'post',
      path: '/grants',
      summary: 'Set what an account may do with a repository or a namespace; without a role, take it back',
      input: z.object({ name: z.string(), account: name, role }),
      answer: done,
    },
    (visitor, { name, account, role }) => accounts.setGrant(visitor, name, account, role).then(schema.isDone),
  )
  routes.add(
    {
      method: 'post',
      path: '/visibility',
      summary: 'Make a hosted repository public or private',
      input: z.object({ name: z.string(), public: z.boolean() }),
      answer: done,
    },
    (visitor, given) => accounts.setPublic(visitor, locate(given.name), given.public).then(schema.isDone),
  )
}

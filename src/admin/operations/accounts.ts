// Users, organizations and tokens.
import { z } from 'zod'
import { operation } from '../operation.ts'
import * as schema from '../account-schemas.ts'
import { done, time } from '../schemas.ts'

const { accountName: name } = schema
const password = z.string()

export const logIn = operation({
  method: 'post',
  path: '/login',
  summary:
    'Get a token to call this API with (Authorization: Bearer), which ends with the password; it is in this answer alone',
  input: z.object({ username: name, password }),
  answer: z.object({ user: name, token: z.string(), expiresAt: time }),
})

export const listTokens = operation({
  method: 'get',
  path: '/tokens',
  summary: 'Tokens that the caller may revoke: its own, those of organizations that it owns, an administrator all',
  input: z.object({ owner: name.optional() }),
  answer: z.array(schema.token).readonly(),
})

export const createToken = operation({
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
})

export const revokeToken = operation({
  method: 'delete',
  path: '/tokens',
  summary: 'Revoke a token',
  input: z.object({ id: z.string() }),
  answer: schema.token,
})

export const changePassword = operation({
  method: 'post',
  path: '/password',
  summary: 'Change the caller’s password',
  input: z.object({ present: password, next: password }),
  answer: done,
})

export const listAccounts = operation({
  method: 'get',
  path: '/accounts',
  summary: 'Users and organizations',
  input: z.object({}),
  answer: z.array(schema.account).readonly(),
})

export const getAccount = operation({
  method: 'get',
  path: '/account',
  summary: 'A user or an organization',
  input: z.object({ name }),
  answer: schema.accountDetails,
})

export const addUser = operation({
  method: 'post',
  path: '/users',
  summary: 'Add a user, whose namespace is hosted from then on',
  input: z.object({ name, password, admin: z.boolean().default(false) }),
  answer: done,
})

export const addOrganization = operation({
  method: 'post',
  path: '/organizations',
  summary: 'Add an organization, whose namespace is hosted from then on',
  input: z.object({ name }),
  answer: done,
})

export const removeAccount = operation({
  method: 'delete',
  path: '/account',
  summary: 'Remove an account with its tokens, memberships and grants; what was pushed stays',
  input: z.object({ name, kind: schema.accountKind.optional() }),
  answer: done,
})

export const setPassword = operation({
  method: 'post',
  path: '/users/password',
  summary: 'Give a user another password',
  input: z.object({ name, password }),
  answer: done,
})

const link = {
  path: '/links',
  input: z.object({
    user: name,
    provider: z.string().meta({ description: 'a provider of access.oidc', examples: ['corp'] }),
    subject: z.string().meta({ description: 'what the provider calls who logs in there (sub)' }),
  }),
  answer: done,
}

export const linkLogin = operation({
  ...link,
  method: 'post',
  summary: 'Say that a login at a provider is this user',
})

export const unlinkLogin = operation({ ...link, method: 'delete', summary: 'Say that it is no more' })

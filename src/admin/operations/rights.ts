// Who may do what, and who did what.
import { z } from 'zod'
import { operation } from '../operation.ts'
import * as schema from '../account-schemas.ts'
import { done, name as repository } from '../schemas.ts'

const { accountName: name } = schema
const role = schema.role.optional()
const text = z.string().default('')

export const setMember = operation({
  method: 'post',
  path: '/members',
  summary: 'Set what a user is in an organization; without a role, a member no more',
  input: z.object({ organization: name, user: name, role }),
  answer: done,
})

export const listGrants = operation({
  method: 'get',
  path: '/grants',
  summary: 'What accounts may do with repositories and namespaces besides their own',
  input: z.object({}),
  answer: z.array(schema.grant).readonly(),
})

export const setGrant = operation({
  method: 'post',
  path: '/grants',
  summary: 'Set what an account may do with a repository or a namespace; without a role, take it back',
  input: z.object({ name: z.string(), account: name, role }),
  answer: done,
})

export const listVisibility = operation({
  method: 'get',
  path: '/visibility',
  summary: 'Repositories and namespaces that are public or private by a setting of their own',
  input: z.object({}),
  answer: z.array(schema.visibility).readonly(),
})

export const setVisibility = operation({
  method: 'post',
  path: '/visibility',
  summary: 'Make a hosted repository public or private, or those of a namespace that are not set on their own',
  input: z.object({ name: z.string(), public: z.boolean() }),
  answer: done,
})

export const explain = operation({
  method: 'get',
  path: '/may',
  summary: 'Whether somebody may do something, and why',
  input: z.object({
    user: z.string().meta({ description: 'a user or an organization; anonymous for who did not log in' }),
    action: z.enum(['pull', 'private', 'push', 'delete', 'administer']),
    name: repository,
  }),
  answer: schema.verdict,
})

export const listAudit = operation({
  method: 'get',
  path: '/audit',
  summary: 'Who did what, newest first',
  input: z.object({ user: text, name: text, action: text, before: z.coerce.number().int().optional() }),
  answer: schema.auditPage,
})

export const readAudit = operation({
  method: 'get',
  path: '/audit/log',
  summary: 'Who did what, oldest first, in parts to go on with',
  input: z.object({
    user: text,
    name: text,
    action: text,
    since: z.coerce.number().int().optional().meta({ description: 'milliseconds since 1970' }),
    after: z.coerce.number().int().default(0).meta({ description: 'the number of the last entry that is known' }),
    limit: z.coerce.number().int().min(1).max(1_000).default(1_000),
  }),
  answer: schema.auditPage,
})

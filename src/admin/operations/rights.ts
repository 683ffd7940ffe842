// Who may do what, and who did what.
import { z } from 'zod'
import { operation } from '../operation.ts'
import * as schema from '../schemas.ts'

const { accountName: name, done } = schema
const role = schema.role.optional()
const text = z.string().default('')

export const setMember = operation({
  method: 'post',
  path: '/members',
  summary: 'Set what a user is in an organization; without a role, a member no more',
  input: z.object({ organization: name, user: name, role }),
  answer: done,
})

export const setGrant = operation({
  method: 'post',
  path: '/grants',
  summary: 'Set what an account may do with a repository or a namespace; without a role, take it back',
  input: z.object({ name: z.string(), account: name, role }),
  answer: done,
})

export const setVisibility = operation({
  method: 'post',
  path: '/visibility',
  summary: 'Make a hosted repository public or private',
  input: z.object({ name: z.string(), public: z.boolean() }),
  answer: done,
})

export const listAudit = operation({
  method: 'get',
  path: '/audit',
  summary: 'Who did what, newest first',
  input: z.object({ user: text, name: text, action: text, before: z.coerce.number().int().optional() }),
  answer: schema.auditPage,
})

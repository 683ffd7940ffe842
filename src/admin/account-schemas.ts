import { z } from 'zod'
import { name, optional, strings, time } from './schemas.ts'

// What the admin API takes and gives of those who use the registry.

export const accountName = z.string().meta({ examples: ['alice'] })

export const token = z
  .object({
    id: z.string(),
    owner: z.string(),
    name: z.string(),
    scopes: strings,
    createdAt: time,
    expiresAt: optional(time),
  })
  .meta({ id: 'Token' })

export const role = z.enum(['owner', 'writer', 'reader'])

export const accountKind = z.enum(['user', 'organization'])

export const grant = z.object({ name: z.string(), account: z.string(), role }).meta({ id: 'Grant' })

export const visibility = z.object({ name: z.string(), public: z.boolean() }).meta({ id: 'Visibility' })

export const verdict = z
  .object({
    name,
    allowed: z.boolean(),
    provided: optional(z.string()).meta({ description: 'what has to hold besides, which only a request finds out' }),
    why: z.string(),
  })
  .meta({ id: 'Verdict' })

export const account = z
  .object({
    name: z.string(),
    kind: accountKind,
    admin: z.boolean(),
    createdAt: time,
    members: z.array(z.object({ user: z.string(), role })).readonly(),
    links: z
      .array(z.object({ provider: z.string(), subject: z.string() }))
      .readonly()
      .meta({ description: 'logins at OpenID providers that are this user' }),
  })
  .meta({ id: 'Account' })

export const accountDetails = account
  .extend({
    organizations: z.array(z.object({ organization: z.string(), role })).readonly(),
    grants: z.array(z.object({ name: z.string(), role })).readonly(),
    tokens: z.array(token).readonly(),
  })
  .meta({ id: 'AccountDetails' })

export const auditPage = z.object({
  entries: z
    .array(
      z.object({
        number: z.number(),
        at: time,
        action: z.string(),
        user: optional(z.string()),
        address: optional(z.string()),
        name: optional(z.string()),
        detail: optional(z.string()),
        count: z.number(),
      }),
    )
    .readonly(),
  next: optional(z.number()).meta({ description: 'where to go on, as before; absent at the end' }),
})

// The cache and what is stored, for administrators.
import { z } from 'zod'
import { operation } from '../operation.ts'
import * as schema from '../schemas.ts'

const pattern = z.string().meta({ examples: ['docker.io/library/node:20*'] })

export const viewCache = operation({
  method: 'get',
  path: '/cache',
  summary: 'What the cache saves, how its upstreams do, what is on the disk',
  input: z.object({ window: z.enum(['day', 'week', 'month']).default('day') }),
  answer: schema.cacheView,
})

export const listFills = operation({
  method: 'get',
  path: '/fills',
  summary: 'Blobs that are being fetched now',
  input: z.object({}),
  answer: z.array(schema.fill),
})

export const evict = operation({
  method: 'post',
  path: '/cache/evict',
  summary: 'Evict what limits and idleness ask for; answers with the bytes freed',
  input: z.object({}),
  answer: schema.freed,
})

export const listPins = operation({
  method: 'get',
  path: '/pins',
  summary: 'What is never evicted, and tags that are pinned to a digest',
  input: z.object({}),
  answer: schema.pins,
})

export const pin = operation({
  method: 'post',
  path: '/pins',
  summary: 'Never evict cached tags of a pattern',
  input: z.object({ pattern }),
  answer: schema.done,
})

export const unpin = operation({
  method: 'delete',
  path: '/pins',
  summary: 'Take a pin back; those of the settings stay',
  input: z.object({ pattern }),
  answer: z.object({ removed: z.boolean() }),
})

export const listSpending = operation({
  method: 'get',
  path: '/spending',
  summary: 'On whose behalf pulls were spent at upstreams, the most first',
  input: z.object({
    since: z.coerce.number().int().meta({ description: 'milliseconds since 1970; it begins with that day in UTC' }),
    limit: z.coerce.number().int().min(1).max(999_999).default(50),
  }),
  answer: z.array(schema.spending).readonly(),
})

export const collect = operation({
  method: 'post',
  path: '/collect',
  summary: 'Remove what nothing reaches from what is hosted; a dry run tells what would go',
  input: z.object({ dryRun: z.boolean().default(false) }),
  answer: z.array(schema.going).readonly(),
})

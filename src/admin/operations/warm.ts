// Warm lists, for administrators.
import { z } from 'zod'
import { operation } from '../operation.ts'
import * as schema from '../warm-schemas.ts'

const id = z.coerce.number().int().min(1)

export const viewWarm = operation({
  method: 'get',
  path: '/warm',
  summary: 'Warm lists, each with its last run, and what somebody had fetched by hand',
  input: z.object({}),
  answer: z.object({
    lists: z.array(schema.warmList).readonly(),
    byHand: z.array(schema.warmRun).readonly(),
  }),
})

export const fetchWarm = operation({
  method: 'post',
  path: '/warm/fetch',
  summary: 'Begin to fetch a warm list, or references; answers with the run',
  input: z.object({
    list: z.string().optional(),
    references: z
      .array(z.string().max(500))
      .min(1)
      .max(100)
      .optional()
      .meta({ examples: [['docker.io/library/node:22', 'docker.io/library/node:{20,22}-*']] }),
    limit: schema.warmOrder.shape.limit.default(10),
    order: schema.warmOrder.shape.order.default('version'),
    platforms: z.array(z.string().max(100)).max(20).default([]),
  }),
  answer: schema.warmRun,
})

export const getRun = operation({
  method: 'get',
  path: '/warm/run',
  summary: 'A run, and what became of each reference',
  input: z.object({ id }),
  answer: schema.warmRun,
})

export const stopRun = operation({
  method: 'delete',
  path: '/warm/run',
  summary: 'Stop a run; what it has fetched stays',
  input: z.object({ id }),
  answer: z.object({ stopped: z.boolean() }),
})

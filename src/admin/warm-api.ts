import { z } from 'zod'
import { RegistryError } from '../oci/errors.ts'
import type { Admin } from './admin.ts'
import type { Routes } from './routes.ts'
import * as schema from './warm-schemas.ts'

const id = z.coerce.number().int().min(1)

/** Warm lists, for administrators. */
export function warmRoutes(routes: Routes, { warm }: Admin): void {
  routes.add(
    {
      method: 'get',
      path: '/warm',
      summary: 'Warm lists, each with its last run, and what somebody had fetched by hand',
      input: z.object({}),
      answer: z.object({
        lists: z.array(schema.warmList).readonly(),
        byHand: z.array(schema.warmRun).readonly(),
      }),
    },
    (visitor) => warm.view(visitor),
  )
  routes.add(
    {
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
    },
    (visitor, { list, references, ...rest }) => {
      if (list !== undefined && references === undefined) return warm.fetchList(visitor, list)
      if (references !== undefined && list === undefined) return warm.fetch(visitor, { references, ...rest })
      throw new RegistryError('UNSUPPORTED', 'the request: must name a list or references', { status: 400 })
    },
  )
  routes.add(
    {
      method: 'get',
      path: '/warm/run',
      summary: 'A run, and what became of each reference',
      input: z.object({ id }),
      answer: schema.warmRun,
    },
    (visitor, { id }) => warm.run(visitor, id),
  )
  routes.add(
    {
      method: 'delete',
      path: '/warm/run',
      summary: 'Stop a run; what it has fetched stays',
      input: z.object({ id }),
      answer: z.object({ stopped: z.boolean() }),
    },
    async (visitor, { id }) => ({ stopped: await warm.cancel(visitor, id) }),
  )
}

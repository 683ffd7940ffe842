import { z } from 'zod'
import { parseDigest } from '../oci/digest.ts'
import { parseTag } from '../oci/reference.ts'
import type { Admin } from './admin.ts'
import type { Routes } from './routes.ts'
import * as schema from './schemas.ts'

const { name, digest } = schema
const tag = z.string().meta({ examples: ['20'] })

/** What tags meant, and how they come to mean it again. */
export function historyRoutes(routes: Routes, { history, cache, locate }: Admin): void {
  routes.add(
    {
      method: 'get',
      path: '/history',
      summary: 'Every meaning that a tag had, newest first, and which of them are here still',
      input: z.object({ name, tag }),
      answer: z.array(schema.historyMoment).readonly(),
    },
    (visitor, { name, tag }) => history.get(visitor, locate(name), parseTag(tag)),
  )
  routes.add(
    {
      method: 'get',
      path: '/deleted-tags',
      summary: 'Hosted tags that were deleted lately and not set again, for those who may push',
      input: z.object({ name }),
      answer: z.array(schema.deletedTag).readonly(),
    },
    (visitor, { name }) => history.deleted(visitor, locate(name)),
  )
  routes.add(
    {
      method: 'post',
      path: '/rollback',
      summary: 'Put a hosted tag back to a digest that it meant before',
      input: z.object({ name, tag, digest }),
      answer: schema.done,
    },
    (visitor, { name, tag, digest }) =>
      history.rollBack(visitor, locate(name), { tag: parseTag(tag), digest: parseDigest(digest) }).then(schema.isDone),
  )
  routes.add(
    {
      method: 'get',
      path: '/pins',
      summary: 'What is never evicted, and tags that are pinned to a digest',
      input: z.object({}),
      answer: schema.pins,
    },
    (visitor) => cache.pins(visitor),
  )
  routes.add(
    {
      method: 'post',
      path: '/tag-pins',
      summary: 'Let a cached tag mean a digest, whatever its upstream says, until it is released',
      input: z.object({ name, tag, digest }),
      answer: schema.done,
    },
    (visitor, { name, tag, digest }) =>
      history.pin(visitor, locate(name), { tag: parseTag(tag), digest: parseDigest(digest) }).then(schema.isDone),
  )
  routes.add(
    {
      method: 'delete',
      path: '/tag-pins',
      summary: 'Give a pinned tag back to its upstream',
      input: z.object({ name, tag }),
      answer: z.object({ removed: z.boolean() }),
    },
    async (visitor, { name, tag }) => ({ removed: await history.release(visitor, locate(name), parseTag(tag)) }),
  )
}

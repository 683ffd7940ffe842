// What tags meant, and how they come to mean it again.
import { z } from 'zod'
import { operation } from '../operation.ts'
import * as schema from '../schemas.ts'

const { name, digest, done } = schema
const tag = z.string().meta({ examples: ['20'] })

export const listHistory = operation({
  method: 'get',
  path: '/history',
  summary: 'Every meaning that a tag had, newest first, and which of them are here still',
  input: z.object({ name, tag }),
  answer: z.array(schema.historyMoment).readonly(),
})

export const listDeletedTags = operation({
  method: 'get',
  path: '/deleted-tags',
  summary: 'Hosted tags that were deleted lately and not set again, for those who may push',
  input: z.object({ name }),
  answer: z.array(schema.deletedTag).readonly(),
})

export const rollBack = operation({
  method: 'post',
  path: '/rollback',
  summary: 'Put a hosted tag back to a digest that it meant before',
  input: z.object({ name, tag, digest }),
  answer: done,
})

export const pinTag = operation({
  method: 'post',
  path: '/tag-pins',
  summary: 'Let a cached tag mean a digest, whatever its upstream says, until it is released',
  input: z.object({ name, tag, digest }),
  answer: done,
})

export const releaseTag = operation({
  method: 'delete',
  path: '/tag-pins',
  summary: 'Give a pinned tag back to its upstream',
  input: z.object({ name, tag }),
  answer: z.object({ removed: z.boolean() }),
})

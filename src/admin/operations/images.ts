// Repositories, tags and images.
import { z } from 'zod'
import { operation } from '../operation.ts'
import * as views from '../image-schemas.ts'
import * as schema from '../schemas.ts'

const { name, reference, digest, pageNumber, done } = schema
const text = z.string().default('')
const platform = z
  .string()
  .default('')
  .meta({ examples: ['linux/amd64'] })

export const listRepositories = operation({
  method: 'get',
  path: '/repositories',
  summary: 'Repositories by name, hosted and cached',
  input: z.object({ q: text, order: z.enum(['name', 'pulls', 'updated']).default('name'), page: pageNumber }),
  answer: schema.page(schema.repository),
})

export const listTags = operation({
  method: 'get',
  path: '/tags',
  summary: 'The tags of a repository',
  input: z.object({
    name,
    q: text,
    order: z.enum(['name', 'updated', 'pulled', 'pulls']).default('name'),
    direction: z.enum(['up', 'down']).default('up'),
    page: pageNumber,
  }),
  answer: schema.page(schema.tag).extend({ total: z.number() }),
})

export const getRepository = operation({
  method: 'get',
  path: '/repository',
  summary: 'A repository',
  input: z.object({ name }),
  answer: schema.repositoryDetails,
})

export const getImage = operation({
  method: 'get',
  path: '/image',
  summary: 'What a tag or a digest is made of',
  input: z.object({ name, reference, platform }),
  answer: views.imageView,
})

export const compareImages = operation({
  method: 'get',
  path: '/difference',
  summary: 'What changed from one digest of a repository to another',
  input: z.object({ name, from: digest, to: digest, platform }),
  answer: views.difference,
})

export const listPackages = operation({
  method: 'get',
  path: '/packages',
  summary: 'What is installed in an image, by an SBOM that is attached to it or by its layers',
  input: z.object({ name, reference, platform }),
  answer: views.packages,
})

export const deleteTag = operation({
  method: 'delete',
  path: '/tag',
  summary: 'Delete a hosted tag, or a manifest with all its tags',
  input: z.object({ name, reference }),
  answer: done,
})

export const setTag = operation({
  method: 'post',
  path: '/tag',
  summary: 'Give a hosted manifest another tag',
  input: z.object({ name, from: reference, tag: z.string() }),
  answer: done,
})

export const checkTag = operation({
  method: 'post',
  path: '/check',
  summary: 'Ask the upstream what a tag means, however fresh it is here',
  input: z.object({ name, tag: z.string() }),
  answer: z.object({ digest }),
})

export const evictImage = operation({
  method: 'post',
  path: '/evict',
  summary: 'Evict the blobs of a cached image, or of a whole repository; answers with the bytes freed',
  input: z.object({ name, reference: reference.optional() }),
  answer: schema.freed,
})

export const fetchImage = operation({
  method: 'post',
  path: '/fetch',
  summary: 'Begin to fetch all layers of an image that are not here',
  input: z.object({ name, reference, platform }),
  answer: done,
})

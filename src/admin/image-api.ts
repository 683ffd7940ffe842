import { z } from 'zod'
import { parseDigest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { parseReference, parseTag } from '../oci/reference.ts'
import type { Admin } from './admin.ts'
import { difference } from './difference.ts'
import type { Routes } from './routes.ts'
import * as images from './image-schemas.ts'
import * as schema from './schemas.ts'

const { name, reference, digest, pageNumber, done } = schema
const text = z.string().default('')
const platform = z
  .string()
  .default('')
  .meta({ examples: ['linux/amd64'] })

/** Repositories, tags and images. */
export function imageRoutes(routes: Routes, admin: Admin): void {
  listRoutes(routes, admin)
  readRoutes(routes, admin)
  hostedRoutes(routes, admin)
  cachedRoutes(routes, admin)
}

function listRoutes(routes: Routes, admin: Admin): void {
  routes.add(
    {
      method: 'get',
      path: '/repositories',
      summary: 'Repositories by name, hosted and cached',
      input: z.object({ q: text, order: z.enum(['name', 'pulls', 'updated']).default('name'), page: pageNumber }),
      answer: schema.page(schema.repository),
    },
    (visitor, { q, order, page }) => admin.repositories.search(visitor, { text: q, order, page }),
  )
  routes.add(
    {
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
    },
    (visitor, { name, q, order, direction, page }) =>
      admin.repositories.tags(visitor, admin.locate(name), { text: q, order, descending: direction === 'down', page }),
  )
}

function readRoutes(routes: Routes, admin: Admin): void {
  routes.add(
    {
      method: 'get',
      path: '/repository',
      summary: 'A repository',
      input: z.object({ name }),
      answer: schema.repositoryDetails,
    },
    (visitor, { name }) => admin.repositories.get(visitor, admin.locate(name)),
  )
  routes.add(
    {
      method: 'get',
      path: '/image',
      summary: 'What a tag or a digest is made of',
      input: z.object({ name, reference, platform }),
      answer: images.imageView,
    },
    (visitor, { name, reference, platform }) =>
      admin.images.get(visitor, admin.locate(name), parseReference(reference), platform),
  )
  routes.add(
    {
      method: 'get',
      path: '/difference',
      summary: 'What changed from one digest of a repository to another',
      input: z.object({ name, from: digest, to: digest, platform }),
      answer: images.difference,
    },
    async (visitor, { name, from, to, platform }) => {
      const digests = [parseDigest(from), parseDigest(to)] as const
      const pair = await admin.images.pair(visitor, admin.locate(name), digests, platform)
      const packages = await admin.comparePackages(visitor, [pair.from, pair.to])
      return { ...difference(pair.from.image, pair.to.image), packages }
    },
  )
  routes.add(
    {
      method: 'get',
      path: '/packages',
      summary: 'What is installed in an image, by an SBOM that is attached to it or by its layers',
      input: z.object({ name, reference, platform }),
      answer: images.packages,
    },
    async (visitor, { name, reference, platform }) => {
      const view = await admin.images.get(visitor, admin.locate(name), parseReference(reference), platform)
      return admin.packages(visitor, view)
    },
  )
}

function hostedRoutes(routes: Routes, admin: Admin): void {
  routes.add(
    {
      method: 'delete',
      path: '/tag',
      summary: 'Delete a hosted tag, or a manifest with all its tags',
      input: z.object({ name, reference }),
      answer: done,
    },
    async (visitor, { name, reference }) => {
      await admin.actions.delete(visitor, admin.locate(name), parseReference(reference))
      return { done: true }
    },
  )
  routes.add(
    {
      method: 'post',
      path: '/tag',
      summary: 'Give a hosted manifest another tag',
      input: z.object({ name, from: reference, tag: z.string() }),
      answer: done,
    },
    async (visitor, { name, from, tag }) => {
      await admin.actions.tag(visitor, admin.locate(name), { from: parseReference(from), tag: parseTag(tag) })
      return { done: true }
    },
  )
}

function cachedRoutes(routes: Routes, admin: Admin): void {
  routes.add(
    {
      method: 'post',
      path: '/check',
      summary: 'Ask the upstream what a tag means, however fresh it is here',
      input: z.object({ name, tag: z.string() }),
      answer: z.object({ digest }),
    },
    async (visitor, { name, tag }) => ({
      digest: await admin.actions.check(visitor, admin.locate(name), parseTag(tag)),
    }),
  )
  routes.add(
    {
      method: 'post',
      path: '/evict',
      summary: 'Evict the blobs of a cached image; answers with the bytes freed',
      input: z.object({ name, reference }),
      answer: schema.freed,
    },
    async (visitor, { name, reference }) => ({
      bytes: await admin.actions.evict(visitor, admin.locate(name), parseReference(reference)),
    }),
  )
  routes.add(
    {
      method: 'post',
      path: '/fetch',
      summary: 'Begin to fetch all layers of an image that are not here',
      input: z.object({ name, reference, platform }),
      answer: done,
    },
    async (visitor, { name, reference, platform }) => {
      const { image, problem } = await admin.images.get(
        visitor,
        admin.locate(name),
        parseReference(reference),
        platform,
      )
      if (!image) throw new RegistryError('MANIFEST_UNKNOWN', problem ?? 'there is no image to fetch')
      await admin.actions.fetch(visitor, admin.locate(name), image)
      return { done: true }
    },
  )
}

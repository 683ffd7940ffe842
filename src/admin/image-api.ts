import { parseDigest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { parseReference, parseTag } from '../oci/reference.ts'
import type { Admin } from './admin.ts'
import { difference } from './difference.ts'
import * as images from './operations/images.ts'
import type { Routes } from './routes.ts'
import { isDone } from './schemas.ts'

export function imageRoutes(routes: Routes, admin: Admin): void {
  readRoutes(routes, admin)
  changeRoutes(routes, admin)
}

function readRoutes(routes: Routes, admin: Admin): void {
  const { locate, repositories } = admin
  routes.add(images.listRepositories, (visitor, { q, order, page }) =>
    repositories.search(visitor, { text: q, order, page }),
  )
  routes.add(images.listTags, (visitor, { name, q, order, direction, page }) =>
    repositories.tags(visitor, locate(name), { text: q, order, descending: direction === 'down', page }),
  )
  routes.add(images.getRepository, (visitor, { name }) => repositories.get(visitor, locate(name)))
  routes.add(images.getImage, (visitor, { name, reference, platform }) =>
    admin.images.get(visitor, locate(name), parseReference(reference), platform),
  )
  routes.add(images.compareImages, async (visitor, { name, from, to, platform }) => {
    const digests = [parseDigest(from), parseDigest(to)] as const
    const pair = await admin.images.pair(visitor, locate(name), digests, platform)
    const packages = await admin.comparePackages(visitor, [pair.from, pair.to])
    return { ...difference(pair.from.image, pair.to.image), packages }
  })
  routes.add(images.listPackages, async (visitor, { name, reference, platform }) => {
    const view = await admin.images.get(visitor, locate(name), parseReference(reference), platform)
    return admin.packages(visitor, view)
  })
}

function changeRoutes(routes: Routes, admin: Admin): void {
  const { actions, locate } = admin
  routes.add(images.deleteTag, (visitor, { name, reference }) =>
    actions.delete(visitor, locate(name), parseReference(reference)).then(isDone),
  )
  routes.add(images.setTag, (visitor, { name, from, tag }) =>
    actions.tag(visitor, locate(name), { from: parseReference(from), tag: parseTag(tag) }).then(isDone),
  )
  routes.add(images.checkTag, async (visitor, { name, tag }) => ({
    digest: await actions.check(visitor, locate(name), parseTag(tag)),
  }))
  routes.add(images.evictImage, async (visitor, { name, reference }) => ({
    bytes:
      reference === undefined
        ? await actions.evictAll(visitor, locate(name))
        : await actions.evict(visitor, locate(name), parseReference(reference)),
  }))
  routes.add(images.fetchImage, async (visitor, { name, reference, platform }) => {
    const { image, problem } = await admin.images.get(visitor, locate(name), parseReference(reference), platform)
    if (!image) throw new RegistryError('MANIFEST_UNKNOWN', problem ?? 'there is no image to fetch')
    return actions.fetch(visitor, locate(name), image).then(isDone)
  })
}

import { parseDigest } from '../oci/digest.ts'
import { parseTag } from '../oci/reference.ts'
import type { Admin } from './admin.ts'
import * as operations from './operations/history.ts'
import type { Routes } from './routes.ts'
import { isDone } from './schemas.ts'

export function historyRoutes(routes: Routes, { history, locate }: Admin): void {
  const meaning = ({ tag, digest }: { tag: string; digest: string }) => ({
    tag: parseTag(tag),
    digest: parseDigest(digest),
  })
  routes.add(operations.listHistory, (visitor, { name, tag }) => history.get(visitor, locate(name), parseTag(tag)))
  routes.add(operations.listDeletedTags, (visitor, { name }) => history.deleted(visitor, locate(name)))
  routes.add(operations.rollBack, (visitor, { name, ...given }) =>
    history.rollBack(visitor, locate(name), meaning(given)).then(isDone),
  )
  routes.add(operations.pinTag, (visitor, { name, ...given }) =>
    history.pin(visitor, locate(name), meaning(given)).then(isDone),
  )
  routes.add(operations.releaseTag, async (visitor, { name, tag }) => ({
    removed: await history.release(visitor, locate(name), parseTag(tag)),
  }))
}

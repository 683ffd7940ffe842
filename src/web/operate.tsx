import { streamSSE } from 'hono/streaming'
import { windows, type Admin, type AdminContext } from '../admin/admin.ts'
import { parseTag } from '../oci/reference.ts'
import type { WebCall } from './call.ts'
import { doneText } from './done.ts'
import { query } from './links.ts'
import { CachePage } from './pages/cache.tsx'
import { CollectionPage } from './pages/collection.tsx'
import { unknownAction, type Rendered } from './respond.tsx'

export async function cache(call: WebCall, admin: Admin): Promise<Rendered> {
  const window = call.choice('window', ['day', 'week', 'month'])
  const view = await admin.cache.view(call.visitor, window)
  return <CachePage frame={call.frame} view={view} step={windows[window].step} done={doneText(call)} />
}

/** How often it is looked how far fills are, in milliseconds. */
const lookedEvery = 250

/** Fills as they come along, until the browser or the server has enough of it. */
export async function fills(c: AdminContext, call: WebCall, admin: Admin, stopping: AbortSignal): Promise<Response> {
  let last = JSON.stringify(await admin.cache.fills(call.visitor))
  return streamSSE(c, async (stream) => {
    const over = new Promise<void>((resolve) => {
      stream.onAbort(resolve)
      stopping.addEventListener('abort', () => resolve(), { once: true })
    })
    let isOver = stopping.aborted
    void over.then(() => (isOver = true))
    await stream.writeSSE({ data: last })
    while (!isOver) {
      await Promise.race([over, stream.sleep(lookedEvery)])
      const now = JSON.stringify(await admin.cache.fills(call.visitor))
      if (now !== last && !isOver) await stream.writeSSE({ data: now })
      last = now
    }
  })
}

/** What the buttons of the cache's page do. Answers with the page to see then. */
export async function operate(
  c: AdminContext,
  { visitor }: WebCall,
  { cache, history, locate }: Admin,
  form: ReadonlyMap<string, string>,
): Promise<Response> {
  const to = (done: string, amount?: number) => c.redirect(`/cache${query({ done, amount })}`, 303)
  const pattern = (form.get('pattern') ?? '').trim()
  switch (form.get('action')) {
    case 'evict':
      return to('evicted', await cache.evict(visitor))
    case 'pin':
      await cache.pin(visitor, pattern)
      return to('pinned')
    case 'unpin':
      await cache.unpin(visitor, pattern)
      return to('unpinned')
    case 'release':
      await history.release(visitor, locate(form.get('name') ?? ''), parseTag(form.get('tag') ?? ''))
      return to('released')
    default:
      throw unknownAction()
  }
}

/** What a collection would take, before anybody lets it. */
export async function collection(call: WebCall, { cache }: Admin): Promise<Rendered> {
  const going = await cache.collect(call.visitor, true)
  return <CollectionPage frame={call.frame} going={going} done={doneText(call)} />
}

export async function collect(c: AdminContext, { visitor }: WebCall, { cache }: Admin): Promise<Response> {
  const gone = await cache.collect(visitor, false)
  return c.redirect(`/cache/collection${query({ done: 'collected', amount: gone.length })}`, 303)
}

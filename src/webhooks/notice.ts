import type { TagChange } from '../metadata/metadata.ts'
import type { Event } from '../telemetry/telemetry.ts'

/** What receivers can be told of. */
export type NoticeType = 'tag.moved' | 'tag.pushed' | 'tag.deleted' | 'fill.failed' | 'budget.reserved'

export interface Notice {
  /** `test`: of nothing, because somebody wants to see whether it arrives. */
  readonly type: NoticeType | 'test'
  /** What it is about: a repository as clients of this registry name it, or an upstream. */
  readonly subject: string
  readonly data: Record<string, unknown>
}

/** What receivers are told of a change of a tag. */
export function noticeOfChange(change: TagChange): Notice {
  const { type, ...data } = change
  if (type === 'tag-moved') return { type: 'tag.moved', subject: `${change.upstream}/${change.repository}`, data }
  return { type: type === 'tag-pushed' ? 'tag.pushed' : 'tag.deleted', subject: change.repository, data }
}

/** What receivers are told of an event; undefined for most. What happens to tags is written down elsewhere: see TagChange. */
export function noticeOf(event: Event): Notice | undefined {
  switch (event.type) {
    case 'fill-ended': {
      if (event.result !== 'failed') return undefined
      const { upstream, repository, digest, message } = event
      return {
        type: 'fill.failed',
        subject: `${upstream}/${repository}`,
        data: { upstream, repository, digest, message },
      }
    }
    case 'rate-limit': {
      if (!event.scarce) return undefined
      const { upstream, account, remaining, limit } = event
      return { type: 'budget.reserved', subject: upstream, data: { upstream, account, remaining, limit } }
    }
    default:
      return undefined
  }
}

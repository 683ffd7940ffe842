import type { Event } from '../telemetry/telemetry.ts'

/** What receivers can be told of. */
export type NoticeType = 'tag.moved' | 'tag.pushed' | 'tag.deleted' | 'fill.failed' | 'budget.reserved'

export interface Notice {
  readonly type: NoticeType
  /** What it is about: a repository as clients of this registry name it, or an upstream. */
  readonly subject: string
  readonly data: Record<string, unknown>
}

/** What receivers are told of an event; undefined for most. */
export function noticeOf(event: Event): Notice | undefined {
  switch (event.type) {
    case 'tag-moved': {
      const { upstream, repository, tag, before, digest } = event
      return {
        type: 'tag.moved',
        subject: `${upstream}/${repository}`,
        data: { upstream, repository, tag, before, digest },
      }
    }
    case 'tag-pushed':
      return { type: 'tag.pushed', subject: event.repository, data: fieldsOf(event) }
    case 'tag-deleted':
      return { type: 'tag.deleted', subject: event.repository, data: fieldsOf(event) }
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

const fieldsOf = ({ repository, tag, digest }: { repository: string; tag: string; digest?: string }) => ({
  repository,
  tag,
  ...(digest !== undefined && { digest }),
})

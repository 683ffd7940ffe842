// Who pulled, pushed, deleted, logged in and changed what, from where. Pulls are gathered for some seconds, and those that are
// the same are one entry with a count: none of them waits for a write. All else is written down as it happens.
import type { AuditEntry, AuditMetadata } from '../metadata/metadata.ts'
import type { Event } from '../telemetry/telemetry.ts'
import { entryOf } from './entry.ts'

export interface AuditOptions {
  metadata: AuditMetadata
  /** Entries go when they are older, in milliseconds. */
  keep: number
  now: () => number
  /** An entry could not be written. */
  failed: (error: Error) => void
}

export interface Audit {
  /** Takes in whatever rooms tell. */
  tell(event: Event): void
  /** Lets entries go when they are old, from now on. */
  start(): void
  stop(): void
}

/** How long pulls are gathered, in milliseconds. */
const gatherFor = 5_000
/** How many different ones are gathered at most. */
const mostGathered = 5_000
const expireEvery = 3_600_000

export function openAudit({ metadata, keep, now, failed }: AuditOptions): Audit {
  let pulls = new Map<string, { entry: AuditEntry; count: number; at: number }>()
  const timer = setInterval(flush, gatherFor).unref()
  let expiring: NodeJS.Timeout | undefined

  function write(entries: readonly AuditEntry[]): void {
    metadata.append(entries).catch(failed)
  }

  function flush(): void {
    if (pulls.size === 0) return
    write([...pulls.values()].map(({ entry, count, at }) => ({ ...entry, count, at })))
    pulls = new Map()
  }

  function expire(): void {
    metadata.expire(now() - keep).catch(failed)
  }

  function gather(entry: AuditEntry): void {
    const key = `${entry.user} ${entry.address} ${entry.name} ${entry.detail}`
    const known = pulls.get(key)
    if (!known) pulls.set(key, { entry, count: 1, at: entry.at })
    else {
      known.count++
      known.at = entry.at
    }
    if (pulls.size >= mostGathered) flush()
  }

  return {
    tell(event) {
      const entry = entryOf(event, now())
      if (!entry) return
      if (entry.action === 'pull') gather(entry)
      else write([entry])
    },
    start() {
      expiring = setInterval(expire, expireEvery).unref()
      expire()
    },
    stop() {
      clearInterval(timer)
      clearInterval(expiring)
      flush()
    },
  }
}

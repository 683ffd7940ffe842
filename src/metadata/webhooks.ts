import type { Digest } from '../oci/digest.ts'
import type { RepositoryName, Tag } from '../oci/reference.ts'

/** What happened to a tag: to a hosted one, or to what is known of an upstream's. */
export type TagChange =
  | {
      readonly type: 'tag-pushed' | 'tag-deleted'
      readonly repository: RepositoryName
      readonly tag: Tag
      readonly digest: Digest
    }
  /** `repository` is its name at the upstream. */
  | {
      readonly type: 'tag-moved'
      readonly upstream: string
      readonly repository: RepositoryName
      readonly tag: Tag
      readonly before: Digest
      readonly digest: Digest
    }

/** A change as it was written down. */
export interface NotedChange {
  /** What it is known by to everybody who is told of it, however often. */
  readonly id: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly change: TagChange
}

/** One event that one receiver is to be told. */
export interface DeliveryRecord {
  /** The event's: the same for every receiver and at every attempt. */
  readonly id: string
  /** The receiver's name. */
  readonly hook: string
  /** JSON. */
  readonly body: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** How often it was tried without success. */
  readonly attempts: number
}

/** A delivery that waits. */
export interface WaitingDelivery extends DeliveryRecord {
  /** When it is tried next, in milliseconds since 1970. */
  readonly dueAt: number
  /** Why the last attempt failed. */
  readonly problem: string | undefined
}

/** How an attempt to tell a receiver went. */
export interface AttemptRecord {
  /** The event's id and type. */
  readonly event: string
  readonly type: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** Which attempt it was, from 1. */
  readonly attempts: number
  /** What the receiver answered, if it did. */
  readonly status: number | undefined
  /** Undefined where it took the event. */
  readonly problem: string | undefined
}

/**
 * What receivers are to be told. What was put or noted is there after a kill of the process; a power loss may lose the last
 * moments of what was put, and of the attempts that were made.
 */
export interface WebhookMetadata {
  /**
   * From now on each change of a tag that is wanted is noted by the transaction that makes it: both are there after a kill, or
   * a power loss, or neither. Nothing is noted before.
   */
  noteChanges(wanted: (change: TagChange) => boolean): void
  /** Oldest first. */
  notedChanges(limit: number): Promise<NotedChange[]>
  /** Replaces a noted change by the deliveries it calls for: all or nothing. */
  settleChange(id: string, deliveries: readonly Omit<DeliveryRecord, 'attempts'>[]): Promise<void>

  /** At once: when the call returns its promise, the delivery is written, unless another process is writing. */
  putDelivery(delivery: Omit<DeliveryRecord, 'attempts'>): Promise<void>
  /** Those that are due, oldest first. */
  dueDeliveries(hook: string, at: number, limit: number): Promise<DeliveryRecord[]>
  /** All that wait, oldest first. */
  listDeliveries(hook: string, limit: number): Promise<WaitingDelivery[]>
  /** When the first of what waits is due, in milliseconds since 1970. */
  nextDelivery(hook: string): Promise<number | undefined>
  /** Notes how an attempt went. The delivery is tried again at `until`; where that is undefined, it is removed. */
  noteAttempt(hook: string, attempt: AttemptRecord, until: number | undefined): Promise<void>
  /** The last attempt to tell a receiver anything. */
  lastAttempt(hook: string): Promise<AttemptRecord | undefined>
  /** Makes what waits due at a time, all of it or one event; returns how many that were. */
  hurryDeliveries(hook: string, at: number, id?: string): Promise<number>
  removeDelivery(delivery: Pick<DeliveryRecord, 'id' | 'hook'>): Promise<void>
  countDeliveries(hook: string): Promise<number>
  /** Removes what was put before a time for other hooks than these, and tells the names of those. */
  forgetDeliveries(except: readonly string[], before: number): Promise<string[]>
}

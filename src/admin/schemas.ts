import { z } from 'zod'

// What the admin API takes and gives. Times are in milliseconds since 1970, sizes in bytes.

export const time = z.number().int()
export const optional = <T extends z.ZodType>(schema: T) => schema.optional()

export const name = z.string().meta({ examples: ['docker.io/library/node'] })
export const reference = z.string().meta({ description: 'a tag or a digest', examples: ['20'] })
export const digest = z.string().meta({ examples: [`sha256:${'0'.repeat(64)}`] })
export const pageNumber = z.coerce.number().int().min(1).max(100_000).default(1)
export const done = z.object({ done: z.boolean() })
export const isDone = () => ({ done: true })
export const freed = z.object({ bytes: z.number() })
export const page = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item).readonly(), page: z.number(), more: z.boolean() })

export const repository = z
  .object({
    name,
    registry: optional(z.string()).meta({ description: 'the upstream; absent where it is hosted here' }),
    tags: z.number(),
    pulls: z.number(),
    pulledAt: optional(time),
    updatedAt: optional(time),
    description: optional(z.string()).meta({ description: 'in one line' }),
  })
  .meta({ id: 'Repository' })

export const kind = z.enum(['image', 'chart', 'artifact'])

export const listedTag = z
  .object({
    tag: z.string(),
    digest,
    updatedAt: optional(time),
    checkedAt: optional(time),
    movedTo: optional(digest).meta({ description: 'what the upstream was last heard to say instead' }),
    isPinned: z.boolean().meta({ description: 'whether it means its digest because somebody pinned it to that' }),
    pulls: z.number(),
    pulledAt: optional(time),
  })
  .meta({ id: 'ListedTag' })

export const tag = listedTag
  .extend({
    kind,
    platforms: z.array(z.string()).readonly(),
    size: optional(z.number()),
    sizeOf: optional(z.string()),
    fresh: optional(z.boolean()).meta({ description: 'whether a cached tag is served without asking' }),
  })
  .meta({ id: 'Tag' })

const source = optional(z.enum(['here', 'image']))

export const description = z
  .object({
    short: z.string(),
    shortFrom: source,
    readme: z.string().meta({ description: 'Markdown' }),
    readmeFrom: source.meta({ description: 'whether it was written here, or the image says it of itself' }),
    leftOut: optional(z.number()).meta({ description: 'bytes of an image’s README that is too large' }),
    tag: optional(z.string()).meta({ description: 'the tag whose image stands for the repository' }),
    writtenBy: optional(z.string()),
    writtenAt: optional(time),
    version: z.string(),
  })
  .meta({ id: 'Description' })

export const repositoryDetails = repository
  .extend({
    visibility: z.enum(['public', 'private']),
    about: description,
    main: optional(tag).meta({ description: 'the tag that stands for it: latest, else the one that was pushed last' }),
    hosts: z.array(z.string()).readonly().meta({ description: 'hosts under which clients see its upstream alone' }),
    storedBytes: z.number(),
    may: z.object({ push: z.boolean(), delete: z.boolean(), settle: z.boolean(), administer: z.boolean() }),
  })
  .meta({ id: 'RepositoryDetails' })

export const strings = z.array(z.string()).readonly()
export const historyMoment = z
  .object({
    digest: optional(digest).meta({ description: 'absent where the tag was deleted' }),
    seenAt: time,
    by: optional(z.string()).meta({ description: 'the user who did it, where that is known' }),
    here: z.boolean().meta({ description: 'whether the manifest is here' }),
  })
  .meta({ id: 'HistoryMoment' })

export const deletedTag = z.object({ tag: z.string(), deletedAt: time }).meta({ id: 'DeletedTag' })

export const tagPin = z
  .object({ name, tag: z.string(), digest, pinnedAt: time, by: optional(z.string()) })
  .meta({ id: 'TagPin' })

export const pins = z
  .object({ settings: strings, added: strings, tags: z.array(tagPin).readonly() })
  .meta({ id: 'Pins' })

export const fill = z
  .object({
    digest,
    name: optional(name),
    upstream: z.string(),
    size: optional(z.number()),
    present: z.number(),
    startedAt: time,
  })
  .meta({ id: 'Fill' })

const totals = z.object({
  hits: z.number(),
  misses: z.number(),
  revalidated: z.number(),
  stale: z.number(),
  servedBytes: z.number(),
  receivedBytes: z.number(),
  pullsServed: z.number(),
  pullsSpent: z.number(),
})

const upstream = z.object({
  name: z.string(),
  url: z.string(),
  down: z.record(z.string(), time).meta({ description: 'hosts given up for a pause, each since when' }),
  budgets: z.record(
    z.string(),
    z.object({ remaining: z.number(), limit: optional(z.number()), scarce: z.boolean(), at: time }),
  ),
  refused: z.record(z.string(), z.object({ host: z.string(), why: z.string(), since: time })),
})

export const cacheView = z
  .object({
    window: z.enum(['day', 'week', 'month']),
    since: time,
    totals,
    totalsOf: z.record(z.string(), totals),
    spans: z.array(z.object({ beganAt: time, values: totals.partial() })).readonly(),
    storage: z.object({ bytes: z.number(), maxSize: z.number(), free: z.number(), minFree: z.number() }),
    kept: z.array(z.object({ registry: z.string(), bytes: z.number(), blobs: z.number() })).readonly(),
    next: z
      .array(
        z.object({
          digest,
          name: optional(name),
          size: z.number(),
          usedAt: time,
          upstreams: strings,
        }),
      )
      .readonly()
      .meta({ description: 'what would be evicted first' }),
    pins,
    fills: z.array(fill).readonly(),
    upstreams: z.array(upstream).readonly(),
    problems: z.array(z.object({ at: time, upstream: z.string(), message: z.string(), times: z.number() })).readonly(),
  })
  .meta({ id: 'CacheView' })

export const going = z
  .object({ repository: z.string(), what: z.string(), why: z.string(), size: z.number() })
  .meta({ id: 'Going' })

export const spending = z
  .object({
    upstream: z.string(),
    account: z.string(),
    caller: z.string().meta({ description: 'a user or an address; empty for what was fetched for nobody' }),
    repository: z.string(),
    pulls: z.number(),
  })
  .meta({ id: 'Spending' })

export const attempt = z
  .object({
    event: z.string().meta({ description: 'the id, as in the header webhook-id' }),
    type: z.string(),
    at: time,
    attempts: z.number().meta({ description: 'which attempt it was, from 1' }),
    status: optional(z.number()),
    problem: optional(z.string()).meta({ description: 'absent where the receiver took it' }),
  })
  .meta({ id: 'WebhookAttempt' })

export const webhook = z
  .object({
    name: z.string(),
    host: z.string().meta({ description: 'where it is sent; the rest of its URL may be secret' }),
    events: strings.meta({ description: 'none for all' }),
    match: strings,
    waiting: z.number(),
    last: optional(attempt),
    nextAt: optional(time),
  })
  .meta({ id: 'Webhook' })

export const waitingEvent = z
  .object({
    id: z.string(),
    type: z.string(),
    subject: z.string(),
    createdAt: time,
    attempts: z.number(),
    dueAt: time,
    problem: optional(z.string()).meta({ description: 'why the last attempt failed' }),
  })
  .meta({ id: 'WaitingEvent' })

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
  })
  .meta({ id: 'Repository' })

export const repositoryDetails = repository
  .extend({
    visibility: z.enum(['public', 'private']),
    description: optional(z.string()),
    storedBytes: z.number(),
    may: z.object({ push: z.boolean(), delete: z.boolean(), settle: z.boolean(), administer: z.boolean() }),
  })
  .meta({ id: 'RepositoryDetails' })

export const tag = z
  .object({
    tag: z.string(),
    digest,
    updatedAt: optional(time),
    checkedAt: optional(time),
    movedTo: optional(digest).meta({ description: 'what the upstream says instead, where that is held back' }),
    pulls: z.number(),
    pulledAt: optional(time),
    platforms: z.array(z.string()).readonly(),
    size: optional(z.number()),
    sizeOf: optional(z.string()),
    fresh: optional(z.boolean()).meta({ description: 'whether a cached tag is served without asking' }),
  })
  .meta({ id: 'Tag' })

export const strings = z.array(z.string()).readonly()
const texts = z.record(z.string(), z.string()).readonly()
const descriptor = z.object({ mediaType: z.string(), digest, size: z.number() })

const layer = z.object({
  descriptor,
  command: optional(z.string()),
  created: optional(z.string()),
  stored: z.boolean().meta({ description: 'whether it is on the disk here' }),
})

const config = z
  .object({
    created: optional(z.string()),
    platform: optional(z.string()),
    user: optional(z.string()),
    workingDir: optional(z.string()),
    entrypoint: strings,
    cmd: strings,
    env: strings,
    ports: strings,
    volumes: strings,
    stopSignal: optional(z.string()),
    labels: texts,
  })
  .meta({ id: 'ImageConfig' })

const image = z
  .object({
    digest,
    mediaType: z.string(),
    artifactType: optional(z.string()),
    size: z.number(),
    annotations: texts,
    config: optional(config),
    configDigest: optional(digest),
    layers: z.array(layer).readonly(),
    subject: optional(digest),
  })
  .meta({ id: 'Image' })

export const history = z.array(z.object({ digest, seenAt: time })).readonly()

export const imageView = z
  .object({
    name,
    reference,
    digest,
    mediaType: z.string(),
    isHosted: z.boolean(),
    stale: optional(z.string()).meta({ description: 'why this may be out of date' }),
    annotations: texts,
    platforms: z.array(z.object({ platform: z.string(), digest })).readonly(),
    image: optional(image),
    problem: optional(z.string()).meta({ description: 'why there is no image' }),
    referrers: z.array(z.object({ kind: z.string(), digest, type: z.string(), size: optional(z.number()) })).readonly(),
    history,
  })
  .meta({ id: 'ImageView' })

export const difference = z
  .object({
    fromSize: z.number(),
    toSize: z.number(),
    sharedSize: z.number(),
    layers: z.array(layer.extend({ side: z.enum(['from', 'to', 'both']) })).readonly(),
    config: z.array(z.object({ what: z.string(), from: optional(z.string()), to: optional(z.string()) })).readonly(),
  })
  .meta({ id: 'Difference' })

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

export const pins = z.object({ settings: strings, added: strings })

export const cacheView = z
  .object({
    window: z.enum(['day', 'week', 'month']),
    since: time,
    totals,
    totalsOf: z.record(z.string(), totals),
    spans: z.array(z.object({ beganAt: time, values: totals.partial() })).readonly(),
    storage: z.object({ bytes: z.number(), maxSize: z.number(), free: z.number(), minFree: z.number() }),
    kept: z.array(z.object({ registry: z.string(), bytes: z.number(), blobs: z.number() })).readonly(),
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

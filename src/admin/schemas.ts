import { z } from 'zod'

// What the admin API takes and gives. Times are in milliseconds since 1970, sizes in bytes.

const time = z.number().int()
const optional = <T extends z.ZodType>(schema: T) => schema.optional()

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

const listedTag = z
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
    platforms: z.array(z.string()).readonly(),
    size: optional(z.number()),
    sizeOf: optional(z.string()),
    fresh: optional(z.boolean()).meta({ description: 'whether a cached tag is served without asking' }),
  })
  .meta({ id: 'Tag' })

const strings = z.array(z.string()).readonly()
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

export const historyMoment = z
  .object({
    digest: optional(digest).meta({ description: 'absent where the tag was deleted' }),
    seenAt: time,
    by: optional(z.string()).meta({ description: 'the user who did it, where that is known' }),
    here: z.boolean().meta({ description: 'whether the manifest is here' }),
  })
  .meta({ id: 'HistoryMoment' })

export const deletedTag = z.object({ tag: z.string(), deletedAt: time }).meta({ id: 'DeletedTag' })

const tagPin = z
  .object({ name, tag: z.string(), digest, pinnedAt: time, by: optional(z.string()) })
  .meta({ id: 'TagPin' })

export const pins = z
  .object({ settings: strings, added: strings, tags: z.array(tagPin).readonly() })
  .meta({ id: 'Pins' })

const attachedDocument = z
  .object({
    descriptor,
    kind: z.enum(['SBOM', 'provenance', 'statement', 'unread']),
    format: optional(z.string()),
    packages: optional(z.number()).meta({ description: 'how many it lists' }),
    builder: optional(z.string()),
    source: optional(z.string()),
    revision: optional(z.string()),
    isOfAnother: z.boolean().meta({ description: 'whether it says that it is about another image' }),
    isOfImage: z.boolean().meta({ description: 'whether it is about the image of this platform itself' }),
    why: optional(z.string()).meta({ description: 'why it is not read' }),
  })
  .meta({ id: 'AttachedDocument' })

const referrer = z
  .object({
    kind: z.string(),
    digest,
    type: z.string(),
    size: optional(z.number()),
    documents: optional(z.array(attachedDocument).readonly()).meta({ description: 'absent while they are being read' }),
  })
  .meta({ id: 'Referrer' })

const signatures = z
  .object({
    verdict: optional(
      z.object({
        rule: z.string(),
        policy: z.enum(['warn', 'enforce']),
        wanted: z.string(),
        signer: optional(z.string()),
        coveredBy: optional(digest).meta({ description: 'a signed manifest that names it' }),
        against: optional(z.string()).meta({ description: 'why the rule is not fulfilled' }),
      }),
    ),
    claims: strings.meta({ description: 'whom signatures name; not verified' }),
  })
  .meta({ id: 'Signatures' })

const packageSource = z.union([
  z.object({ kind: z.literal('SBOM'), format: z.string(), digest }),
  z.object({ kind: z.literal('layers') }),
])
const reading = z.object({ state: z.literal('reading') }).meta({ description: 'ask again in a moment' })
const notKnown = z.object({ state: z.literal('unknown'), why: z.string() })

export const packages = z
  .union([
    z.object({
      state: z.literal('known'),
      source: packageSource,
      packages: z
        .array(z.object({ kind: z.string(), name: z.string(), version: z.string(), size: optional(z.number()) }))
        .readonly(),
      notes: strings,
    }),
    reading,
    notKnown,
  ])
  .meta({ id: 'Packages' })

const packageSide = z.object({ source: packageSource, count: z.number(), size: optional(z.number()) })

const packageComparison = z
  .union([
    z.object({
      state: z.literal('known'),
      from: packageSide,
      to: packageSide,
      changes: z
        .array(
          z.object({
            kind: z.string(),
            name: z.string(),
            from: strings,
            to: strings,
            growth: optional(z.number()),
          }),
        )
        .readonly(),
      notes: strings,
    }),
    reading,
    notKnown,
  ])
  .meta({ id: 'PackageComparison' })

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
    referrers: z.array(referrer).readonly(),
    signatures: optional(signatures).meta({ description: 'absent where nobody could find out' }),
    history: z.array(historyMoment).readonly(),
    tag: optional(listedTag),
    pin: optional(tagPin),
    heldUntil: optional(time).meta({ description: 'until when what the tag means upstream is held back (minAge)' }),
  })
  .meta({ id: 'ImageView' })

export const difference = z
  .object({
    fromSize: z.number(),
    toSize: z.number(),
    sharedSize: z.number(),
    layers: z.array(layer.extend({ side: z.enum(['from', 'to', 'both']) })).readonly(),
    config: z.array(z.object({ what: z.string(), from: optional(z.string()), to: optional(z.string()) })).readonly(),
    packages: packageComparison,
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

export const token = z
  .object({
    id: z.string(),
    owner: z.string(),
    name: z.string(),
    scopes: strings,
    createdAt: time,
    expiresAt: optional(time),
  })
  .meta({ id: 'Token' })

const role = z.enum(['owner', 'writer', 'reader'])

export const account = z
  .object({ name: z.string(), kind: z.enum(['user', 'organization']), admin: z.boolean(), createdAt: time })
  .meta({ id: 'Account' })

export const accountDetails = account
  .extend({
    members: z.array(z.object({ user: z.string(), role })).readonly(),
    organizations: z.array(z.object({ organization: z.string(), role })).readonly(),
    grants: z.array(z.object({ name: z.string(), role })).readonly(),
    tokens: z.array(token).readonly(),
  })
  .meta({ id: 'AccountDetails' })

export const auditPage = z.object({
  entries: z
    .array(
      z.object({
        number: z.number(),
        at: time,
        action: z.string(),
        user: optional(z.string()),
        address: optional(z.string()),
        name: optional(z.string()),
        detail: optional(z.string()),
        count: z.number(),
      }),
    )
    .readonly(),
  next: optional(z.number()).meta({ description: 'where to go on, as before; absent at the end' }),
})

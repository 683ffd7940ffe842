import { z } from 'zod'
import { digest, historyMoment, kind, listedTag, name, optional, reference, strings, tagPin, time } from './schemas.ts'

// What the admin API gives of images.

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
    history: z
      .array(
        z.object({
          command: z.string(),
          created: optional(z.string()),
          empty: z.boolean().meta({ description: 'it changed no file, and so made no layer' }),
        }),
      )
      .readonly(),
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
    kind,
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

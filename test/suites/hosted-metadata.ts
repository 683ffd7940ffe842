import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HostedManifest, Metadata } from '../../src/metadata/metadata.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { parseRepositoryName, parseTag } from '../../src/oci/reference.ts'
import { openForEach, type MakeMetadata } from './open-metadata.ts'

/** What every HostedMetadata does. */
export function testHostedMetadata(name: string, make: MakeMetadata): void {
  describe(`what is hosted: ${name}`, () => {
    let metadata: Metadata
    const { again } = openForEach(make, (opened) => (metadata = opened))

    it('is used by nobody who has pushed nothing', async () => {
      expect(await metadata.hosted.usage('team')).toEqual({ bytes: 0, tags: 0 })
    })

    it('is counted as it comes and goes, each blob once in a namespace, whatever is done in whatever order', async () => {
      let run = 0
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
          const model = new Model(`n${++run}`)
          for (const taken of steps) await model.take(metadata, taken)
          if (run % 10 === 0) await again()
          for (const namespace of model.namespaces) {
            expect(await metadata.hosted.usage(namespace)).toEqual(model.usage(namespace))
          }
        }),
        { numRuns: 60 },
      )
    })
  })
}

type Step = {
  what: 'blob' | 'no blob' | 'manifest' | 'no manifest' | 'tag' | 'no tag' | 'collect'
  repository: number
  item: number
}

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom('blob', 'no blob', 'manifest', 'no manifest', 'tag', 'no tag', 'collect'),
  repository: fc.nat(2),
  item: fc.nat(2),
})

interface Repository {
  blobs: Map<string, number>
  manifests: Map<string, number>
  tags: Map<string, string>
}

const nothingElse = {
  artifactType: undefined,
  annotations: undefined,
  subject: undefined,
  blobs: [],
  children: [],
  optional: [],
}

/** Two repositories in one namespace and one in another, as plain sets. */
class Model {
  readonly namespaces: [string, string]
  readonly #repositories: { name: ReturnType<typeof parseRepositoryName>; holds: Repository }[]

  constructor(namespace: string) {
    this.namespaces = [namespace, `${namespace}-other`]
    const [one, other] = this.namespaces
    this.#repositories = [`${one}/a`, `${one}/b`, `${other}/a`].map((name) => ({
      name: parseRepositoryName(name),
      holds: { blobs: new Map(), manifests: new Map(), tags: new Map() },
    }))
  }

  async take({ hosted }: Metadata, { what, repository, item }: Step): Promise<void> {
    const { name, holds } = this.#repositories[repository]!
    const blob = digestOf(Buffer.from(`blob ${item}`))
    const manifest = manifestOf(item)
    const tag = parseTag(`t${item}`)
    const put = (tags: (typeof tag)[]) =>
      hosted.putManifest(name, manifest, { tags, immutable: () => false, maxTags: Infinity }, 1)
    switch (what) {
      case 'blob':
        await hosted.putBlob(name, blob, 100 + item, 1)
        return void holds.blobs.set(blob, 100 + item)
      case 'no blob':
        await hosted.deleteBlob(name, blob)
        return void holds.blobs.delete(blob)
      case 'manifest':
        await put([])
        return void holds.manifests.set(manifest.digest, manifest.bytes.length)
      case 'tag':
        await put([tag])
        holds.manifests.set(manifest.digest, manifest.bytes.length)
        return void holds.tags.set(tag, manifest.digest)
      case 'no tag':
        await hosted.deleteTag(name, tag, 1)
        return void holds.tags.delete(tag)
      case 'no manifest':
        await hosted.deleteManifest(name, manifest.digest, 1)
        holds.manifests.delete(manifest.digest)
        return holds.tags.forEach((digest, of) => digest === manifest.digest && holds.tags.delete(of))
      case 'collect': {
        // All that has no tag goes; no manifest here names a blob.
        await hosted.collect(name, {
          at: 1,
          tags: [],
          untagAs: 0,
          manifestsBefore: 2,
          blobsBefore: 2,
          dryRun: item === 0,
        })
        if (item === 0) return
        await hosted.forgetIfEmpty(name)
        holds.blobs.clear()
        const tagged = new Set(holds.tags.values())
        holds.manifests.forEach((_, digest) => tagged.has(digest) || holds.manifests.delete(digest))
      }
    }
  }

  usage(namespace: string): { bytes: number; tags: number } {
    const all = this.#repositories.filter(({ name }) => name.startsWith(`${namespace}/`)).map(({ holds }) => holds)
    const blobs = new Map(all.flatMap(({ blobs }) => [...blobs]))
    const sizes = [...blobs.values(), ...all.flatMap(({ manifests }) => [...manifests.values()])]
    return {
      bytes: sizes.reduce((sum, size) => sum + size, 0),
      tags: all.reduce((sum, { tags }) => sum + tags.size, 0),
    }
  }
}

function manifestOf(item: number): HostedManifest {
  const bytes = new Uint8Array(Buffer.from(`{"manifest":"${'x'.repeat(item + 1)}"}`))
  return { ...nothingElse, digest: digestOf(bytes), mediaType: 'application/vnd.oci.image.manifest.v1+json', bytes }
}

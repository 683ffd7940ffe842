import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isDigest } from '../../src/oci/digest.ts'
import { RegistryError } from '../../src/oci/errors.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startReader, type Reader } from '../helpers/reader.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'

const digest = `sha256:${'a1'.repeat(32)}`
const text = fc.stringMatching(/^[ -~]{0,40}$/).map((value) => value.trim())
const status = fc.oneof(
  fc.constantFrom(200, 200, 200, 206, 301, 307, 401, 403, 404, 405, 410, 416, 429, 500, 503),
  fc.integer({ min: 200, max: 599 }),
)
const headers = fc.record(
  {
    'content-type': fc.oneof(text, fc.constantFrom('application/json', 'application/vnd.oci.image.index.v1+json')),
    'docker-content-digest': fc.oneof(text, fc.constant(digest)),
    'content-range': fc.oneof(text, fc.constantFrom('bytes 0-1/10', 'bytes */0', 'bytes 5-1/2')),
    location: fc.oneof(text, fc.constantFrom('/v2/', '//', 'http://127.0.0.1:9/', 'ftp://x/')),
    link: fc.oneof(text, fc.constantFrom('<?last=x>; rel="next"', '<http://x/>; rel=next')),
    'www-authenticate': fc.oneof(text, fc.constantFrom('Bearer realm="/token"', 'Basic', 'Bearer realm=""')),
    'retry-after': fc.oneof(text, fc.constantFrom('0', '99999999999', 'Tue, 01 Jan 2030 00:00:00 GMT')),
    'ratelimit-remaining': text,
    etag: text,
  },
  { requiredKeys: [] },
)
const body = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.json(),
  fc.constantFrom('', '{"tags":["a","b"]}', '{"manifests":[{}]}', '{"token":"x"}', '<html>'),
)

/** What the reader makes of it; anything but a RegistryError goes on. */
async function outcome(asked: Promise<unknown>): Promise<unknown> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof RegistryError) return undefined
    throw error
  }
}

async function askEverything(reader: Reader): Promise<void> {
  const head = (await outcome(reader.head('org/app', '20'))) as { digest: string } | undefined
  if (head) expect(isDigest(head.digest)).toBe(true)
  await outcome(reader.manifest('org/app', '20'))
  const manifest = await outcome(reader.manifest('org/app', digest))
  // By digest nothing but that content will do, and nothing here has it.
  expect(manifest).toBeUndefined()
  await outcome(reader.headBlob('org/app', digest))
  await outcome(reader.blob('org/app', digest))
  await outcome(reader.blob('org/app', digest, { start: 0, end: 2 }))
  await outcome(reader.tags('org/app'))
  await outcome(reader.referrers('org/app', digest))
}

it('any answer of an upstream is content or an error in our words', async () => {
  const upstream = await startUpstream({ content: {} })
  const reader = await startReader({ url: upstream.url })
  await fc.assert(
    fc.asyncProperty(status, headers, body, async (status, headers, body) => {
      upstream.set({ faults: [{ status, headers, body }] })
      reader.clock.advance(3_600_000)
      await askEverything(reader)
    }),
    { numRuns: 150 },
  )
})

it('any answer of an upstream gives a client content or an error, never a fault of ours', async () => {
  const upstream = await startUpstream({ content: {} })
  await fc.assert(
    fc.asyncProperty(status, headers, body, async (status, headers, body) => {
      upstream.set({ faults: [{ status, headers, body }] })
      const berth = await startBerth({ upstreams: [{ name: 'docker.io', url: upstream.url }] })
      for (const path of ['manifests/20', 'manifests/20', 'tags/list', `referrers/${digest}`]) {
        for (const method of ['GET', 'HEAD']) {
          const answer = await fetchRaw(`${berth.url}/v2/org/app/${path}`, { method })
          expect([path, [200, 403, 404, 429, 502, 504].includes(answer.status)]).toEqual([path, true])
        }
      }
      await berth.stop()
    }),
    { numRuns: 40 },
  )
})

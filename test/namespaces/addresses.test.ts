import { describe, expect, it } from 'vitest'
import { expectError } from '../helpers/api-table.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'

// The forms of address on the wire, with two upstreams that have other content under the same name.

const image = (content: string) => ({
  blobs: { a: content },
  manifests: { m: { config: 'a', layers: ['a'] } },
  tags: { 20: 'm' },
})

async function start() {
  const hub = await startUpstream({ content: { 'library/node': image('hub'), 'org/app': image('hub app') } })
  const quay = await startUpstream({ content: { 'org/app': image('quay'), node: image('quay node') } })
  const berth = await startBerth({
    upstreams: [
      { name: 'docker.io', url: hub.url },
      { name: 'quay.io', url: quay.url, virtualHosts: ['quay.registry.test'] },
    ],
  })
  const ask = (path: string, host?: string) =>
    fetchRaw(berth.url + path, host === undefined ? {} : { headers: { host } })
  const digests = {
    hub: hub.content.digest('library/node', 'm'),
    hubApp: hub.content.digest('org/app', 'm'),
    quay: quay.content.digest('org/app', 'm'),
    quayNode: quay.content.digest('node', 'm'),
  }
  return { hub, quay, berth, ask, digests }
}

type Forms = [path: string, digest: keyof Awaited<ReturnType<typeof start>>['digests'], host?: string][]

const forms: Forms = [
  ['/v2/library/node/manifests/20', 'hub'],
  ['/v2/node/manifests/20', 'hub'],
  ['/v2/docker.io/library/node/manifests/20', 'hub'],
  ['/v2/docker.io/node/manifests/20', 'hub'],
  ['/v2/index.docker.io/library/node/manifests/20', 'hub'],
  ['/docker.io/v2/library/node/manifests/20', 'hub'],
  ['/v2/library/node/manifests/20?ns=docker.io', 'hub'],
  ['/v2/library/node/manifests/20?ns=registry-1.docker.io', 'hub'],
  ['/v2/org/app/manifests/20', 'hubApp'],
  ['/v2/org/app/manifests/20?ns=quay.io', 'quay'],
  ['/v2/org/app/manifests/20?ns=QUAY.IO', 'quay'],
  ['/v2/org/app/manifests/20?ns=quay.io%3A443', 'quay'],
  ['/v2/quay.io/org/app/manifests/20', 'quay'],
  ['/quay.io/v2/org/app/manifests/20', 'quay'],
  ['/v2/org/app/manifests/20', 'quay', 'quay.registry.test'],
  ['/v2/org/app/manifests/20', 'quay', 'quay.registry.test:5000'],
  ['/v2/node/manifests/20?ns=quay.io', 'quayNode'],
  ['/v2/quay.io/node/manifests/20', 'quayNode'],
]

describe('the same name at two upstreams', () => {
  it('is told apart by every form of address, and kept apart in the cache (case 38: git-pkgs/proxy #303)', async () => {
    const { hub, quay, ask, digests } = await start()
    for (const _ of ['cold', 'warm']) {
      for (const [path, digest, host] of forms) {
        expect([path, (await ask(path, host)).headers['docker-content-digest']]).toEqual([path, digests[digest]])
      }
    }
    // One name, one entry, however it was addressed.
    expect([hub.count('manifests'), quay.count('manifests')]).toEqual([2, 2])
    expect(hub.received.map(({ url }) => url).filter((url) => url.includes('ns='))).toEqual([])
  })

  it('gives each its own blobs: a digest cached for one is not there for the other', async () => {
    const { hub, quay, ask } = await start()
    const blob = hub.content.digest('library/node', 'a')
    expect((await ask(`/v2/library/node/blobs/${blob}`)).text()).toBe('hub')
    expectError(await ask(`/v2/org/app/blobs/${blob}?ns=quay.io`), 'BLOB_UNKNOWN')
    expect(quay.count('blobs')).toBe(1)
  })

  it('answers with OCI-Namespace where ns was used, as the client wrote it', async () => {
    const { ask } = await start()
    expect((await ask('/v2/org/app/manifests/20?ns=quay.io')).headers['oci-namespace']).toBe('quay.io')
    expect((await ask('/v2/quay.io/org/app/manifests/20')).headers['oci-namespace']).toBeUndefined()
  })
})

// Tests dial loopback only: a dial anywhere else fails here with another error.
describe('an upstream that is not configured (case 38: containerd PR #9495, zot #4184)', () => {
  it.each([
    '/v2/org/app/manifests/20?ns=registry.example.com',
    '/v2/org/app/manifests/20?ns=169.254.169.254',
    '/v2/org/app/blobs/sha256:0000000000000000000000000000000000000000000000000000000000000000?ns=10.0.0.1:5432',
    '/v2/org/app/tags/list?ns=[::1]',
    '/v2/registry.example.com/org/app/manifests/20',
    '/v2/localhost:5432/app/manifests/20',
    '/registry.example.com/v2/org/app/manifests/20',
  ])('%s is 404 NAME_UNKNOWN, and nobody is asked', async (path) => {
    const { hub, quay, ask } = await start()
    const answer = await ask(path)
    expect(answer.status).toBe(404)
    expectError(answer, 'NAME_UNKNOWN')
    expect([...hub.requests, ...quay.requests]).toEqual([])
  })

  it('is not dialled, although something listens there', async () => {
    const { ask } = await start()
    const inner = await startUpstream({ content: { 'org/app': image('secret') } })
    for (const path of [`/v2/org/app/manifests/20?ns=${inner.host}`, `/v2/${inner.host}/org/app/manifests/20`]) {
      expect((await ask(path)).status).toBe(404)
    }
    expect(inner.requests).toEqual([])
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { namespaces, type Address } from '../../src/namespaces/namespaces.ts'
import type { Registry } from '../../src/oci/registry.ts'
import { refusalOf } from '../helpers/refusals.ts'

// Which registry an address means: design, section 2, in its order. What is asked there is for other tests.

const registry = {} as Registry
const upstreams = [
  { name: 'docker.io', registry, aliases: ['index.docker.io', 'registry-1.docker.io'], default: true },
  { name: 'quay.io', registry, virtualHosts: ['quay.registry.test', 'quay.test:8443'] },
  { name: 'corp', registry, aliases: ['registry.corp.test:5000', 'corp-old'] },
  { name: 'tricky', registry, virtualHosts: ['[::1]:5000'] },
]
const registries = namespaces(upstreams)
const owning = namespaces(upstreams, { registry, owns: (namespace) => ['alice', 'quay.io'].includes(namespace) })

type Case = [what: string, address: Address, name: string]

describe('an address means', () => {
  it.each<Case>([
    ['by ns (containerd)', { path: 'org/app', ns: 'quay.io' }, 'quay.io/org/app'],
    ['by ns, for Docker Hub', { path: 'library/node', ns: 'docker.io' }, 'docker.io/library/node'],
    ['by ns in upper case (case 38)', { path: 'org/app', ns: 'QUAY.IO' }, 'quay.io/org/app'],
    ['by ns with :443 (case 38)', { path: 'org/app', ns: 'quay.io:443' }, 'quay.io/org/app'],
    ['by ns with a root dot', { path: 'org/app', ns: 'quay.io.' }, 'quay.io/org/app'],
    ['by ns that is an alias', { path: 'library/node', ns: 'registry-1.docker.io' }, 'docker.io/library/node'],
    ['by ns that is an alias with a port', { path: 'app', ns: 'registry.corp.test:5000' }, 'corp/app'],
    ['by ns before a virtual host', { path: 'a/b', ns: 'corp', host: 'quay.registry.test' }, 'corp/a/b'],
    ['by ns, where the path says it again', { path: 'quay.io/org/app', ns: 'quay.io' }, 'quay.io/org/app'],
    ['by an empty ns: as without', { path: 'org/app', ns: '' }, 'docker.io/org/app'],
    ['by the first component (podman, crane)', { path: 'quay.io/org/app' }, 'quay.io/org/app'],
    ['by the first component, of Docker Hub', { path: 'docker.io/library/node' }, 'docker.io/library/node'],
    ['by the first component that is an alias', { path: 'index.docker.io/library/node' }, 'docker.io/library/node'],
    ['by a first component without a dot', { path: 'corp/app' }, 'corp/app'],
    ['by a first component in upper case', { path: 'Quay.io/org/app' }, 'quay.io/org/app'],
    ['by a first component with a port', { path: 'registry.corp.test:5000/app' }, 'corp/app'],
    ['by a prefix (dockerd, containerd with a path)', { path: 'org/app', prefix: 'quay.io' }, 'quay.io/org/app'],
    ['by a virtual host', { path: 'org/app', host: 'quay.registry.test' }, 'quay.io/org/app'],
    ['by a virtual host in upper case', { path: 'org/app', host: 'Quay.Registry.Test' }, 'quay.io/org/app'],
    ['by a virtual host on any port', { path: 'org/app', host: 'quay.registry.test:5000' }, 'quay.io/org/app'],
    ['by a virtual host of one port', { path: 'org/app', host: 'quay.test:8443' }, 'quay.io/org/app'],
    ['by a virtual host that is an IPv6 address', { path: 'org/app', host: '[::1]:5000' }, 'tricky/org/app'],
    ['no virtual host on another port', { path: 'org/app', host: 'quay.test:5000' }, 'docker.io/org/app'],
    ['by a component before the virtual host', { path: 'corp/app', host: 'quay.registry.test' }, 'corp/app'],
    ['by none of these: the default', { path: 'org/app' }, 'docker.io/org/app'],
    ['by none of these, whatever the host', { path: 'org/app', host: '127.0.0.1:5000' }, 'docker.io/org/app'],
  ])('%s', (_, address, name) => {
    expect(registries.locate(address)).toBe(name)
  })

  // case 36: harbor #14767, #13446, #18193
  it.each<Case>([
    ['in mirror mode', { path: 'node' }, 'docker.io/library/node'],
    ['by ns', { path: 'node', ns: 'docker.io' }, 'docker.io/library/node'],
    ['by the first component', { path: 'docker.io/node' }, 'docker.io/library/node'],
    ['by an alias', { path: 'index.docker.io/node' }, 'docker.io/library/node'],
    ['by a prefix', { path: 'node', prefix: 'docker.io' }, 'docker.io/library/node'],
  ])('library/ where Docker Hub is asked for one word, %s (case 36)', (_, address, name) => {
    expect(registries.locate(address)).toBe(name)
  })

  it.each<Case>([
    ['by ns', { path: 'app', ns: 'quay.io' }, 'quay.io/app'],
    ['by the first component', { path: 'quay.io/app' }, 'quay.io/app'],
    ['by a virtual host', { path: 'app', host: 'quay.registry.test' }, 'quay.io/app'],
  ])('one word as it is where another upstream is asked for it, %s (case 36)', (_, address, name) => {
    expect(registries.locate(address)).toBe(name)
  })

  it('no library/ of a default that is not Docker Hub (case 36)', () => {
    const other = namespaces([{ name: 'corp', registry, default: true }])
    expect(other.locate({ path: 'app' })).toBe('corp/app')
  })
})

describe('an upstream that is not configured', () => {
  it.each<[string, Address]>([
    ['by ns', { path: 'org/app', ns: 'ghcr.io' }],
    ['by ns, an address inside (case 38: SSRF)', { path: 'latest/meta-data', ns: '169.254.169.254' }],
    ['by ns, a port inside (case 38: SSRF)', { path: 'a/b', ns: 'localhost:5432' }],
    ['by ns, a URL', { path: 'a/b', ns: 'http://evil.test/' }],
    ['by ns, a path', { path: 'a/b', ns: '../quay.io' }],
    ['by ns, a user', { path: 'a/b', ns: 'user@quay.io' }],
    ['by ns, on another port', { path: 'a/b', ns: 'quay.io:8443' }],
    ['by ns, below a configured one', { path: 'a/b', ns: 'evil.quay.io' }],
    ['by ns, a word of JavaScript', { path: 'a/b', ns: 'constructor' }],
    ['by the first component', { path: 'ghcr.io/org/app' }],
    ['by the first component, an address', { path: '10.0.0.1/app' }],
    ['by the first component, with a port', { path: 'localhost:5000/app' }],
    ['by a prefix', { path: 'org/app', prefix: 'ghcr.io' }],
  ])('is NAME_UNKNOWN, %s', (_, address) => {
    expect(refusalOf(() => registries.locate(address))).toBe('NAME_UNKNOWN')
  })

  it('is named in the message, with those that are', () => {
    expect(() => registries.locate({ path: 'a/b', ns: 'ghcr.io' })).toThrow(/"ghcr.io".*docker.io, quay.io, corp/)
  })
})

describe('a namespace hosted here', () => {
  it.each<Case>([
    ['wins over the default upstream', { path: 'alice/app' }, 'alice/app'],
    ['is not library/ of Docker Hub', { path: 'alice' }, 'alice'],
    ['is none of its own where an upstream is named', { path: 'alice/app', ns: 'docker.io' }, 'docker.io/alice/app'],
    ['never wins over an upstream of its name', { path: 'quay.io/org/app' }, 'quay.io/org/app'],
    ['leaves other names to the default', { path: 'bob/app' }, 'docker.io/bob/app'],
  ])('%s', (_, address, name) => {
    expect(owning.locate(address)).toBe(name)
  })
})

it('any address is located or refused, never anything else', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('quay.io', 'a/b', 'corp', 'docker.io/x', ''))
  const address = fc.record({ path: text, prefix: text, ns: text, host: text }, { requiredKeys: ['path'] })
  fc.assert(
    fc.property(address, (address) => {
      for (const each of [registries, owning]) {
        expect([undefined, 'NAME_INVALID', 'NAME_UNKNOWN']).toContain(refusalOf(() => each.locate(address)))
      }
    }),
  )
})

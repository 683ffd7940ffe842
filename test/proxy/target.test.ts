import { describe, expect, it } from 'vitest'
import { allowed, nameOf, parseTarget } from '../../src/proxy/target.ts'

describe("a CONNECT's target", () => {
  it.each([
    ['quay.io:443', 'quay.io'],
    ['QUAY.io.:443', 'quay.io'],
    ['registry.test:5000', 'registry.test:5000'],
    ['127.0.0.1:443', '127.0.0.1'],
    ['[::1]:443', '[::1]'],
    ['[FE80::1]:8443', '[fe80::1]:8443'],
  ])('%j is %s', (text, name) => {
    expect(nameOf(parseTarget(text)!)).toBe(name)
  })

  it.each([
    '',
    'quay.io',
    'quay.io:',
    'quay.io:0',
    'quay.io:65536',
    'quay.io:443/',
    'quay.io:443 ',
    'user@quay.io:443',
    'http://quay.io:443',
    '/v2/',
    'quay..io:443',
    '.quay.io:443',
    'quay.io\u0000:443',
    'quay.io\n.evil.test:443',
    '[::1:443',
    '::1:443',
    '[::ffff:1.2.3]:443',
    '[fe80::1%eth0]:443',
    `${'a'.repeat(254)}:443`,
    'ква.io:443',
  ])('%j is none', (text) => {
    expect(parseTarget(text)).toBeUndefined()
  })
})

describe('the list of hosts that are passed on to', () => {
  it.each([
    ['auth.docker.io:443', ['auth.docker.io'], 'by name'],
    ['auth.docker.io:443', ['AUTH.docker.io:443'], 'by name'],
    ['auth.docker.io:8443', ['auth.docker.io'], undefined],
    ['auth.docker.io:8443', ['auth.docker.io:8443'], 'by name'],
    ['cdn.docker.io:443', ['*.docker.io'], 'by pattern'],
    ['docker.io:443', ['*.docker.io'], undefined],
    ['evildocker.io:443', ['*.docker.io'], undefined],
    ['cdn.docker.io:22', ['*.docker.io'], undefined],
    ['anything.test:443', ['*'], 'by pattern'],
    ['anything.test:22', ['*'], undefined],
    ['127.0.0.1:443', ['*'], undefined],
    ['[::1]:443', ['*'], undefined],
    ['10.0.0.7:443', ['10.0.0.7'], 'by name'],
    ['quay.io:443', [], undefined],
  ])('of %s by %j: %s', (target, list, by) => {
    expect(allowed(list, parseTarget(target)!)).toBe(by)
  })
})

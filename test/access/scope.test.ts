import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { covers, formatScopes, parseLimit, parseScopes, permits } from '../../src/access/scope.ts'

describe('scopes', () => {
  it.each([
    ['repository:a/b:pull', [{ type: 'repository', name: 'a/b', actions: ['pull'] }]],
    ['repository(plugin):a/b:pull,push', [{ type: 'repository', name: 'a/b', actions: ['pull', 'push'] }]],
    // The name may hold a host with a port: the type ends at the first colon, the actions begin at the last.
    ['repository:host:5000/a:pull', [{ type: 'repository', name: 'host:5000/a', actions: ['pull'] }]],
    ['registry:catalog:*', [{ type: 'registry', name: 'catalog', actions: ['*'] }]],
    ['repository:a:pull repository:b:push', [expect.anything(), { type: 'repository', name: 'b', actions: ['push'] }]],
    ['repository:a:', [{ type: 'repository', name: 'a', actions: [] }]],
    ['', []],
    ['nonsense ::: repository::pull', []],
  ])('%j', (text, wanted) => {
    expect(parseScopes(text)).toEqual(wanted)
  })

  it('are what they were when written and read again', () => {
    const scope = fc.record({
      type: fc.constantFrom('repository', 'registry'),
      name: fc.stringMatching(/^[a-z0-9]+(\/[a-z0-9:.]*[a-z0-9]){0,3}$/),
      actions: fc.uniqueArray(fc.constantFrom('pull', 'push', 'delete', '*')),
    })
    fc.assert(
      fc.property(fc.array(scope, { maxLength: 8 }), (scopes) => {
        expect(parseScopes(formatScopes(scopes))).toEqual(scopes)
      }),
    )
  })

  it('of any text are read without an error, and not many', () => {
    fc.assert(fc.property(fc.string(), (text) => parseScopes(text).length <= 32))
    expect(parseScopes('repository:a:pull '.repeat(1000)).length).toBe(32)
  })

  it('cover what they name and nothing near it', () => {
    const scopes = parseScopes('repository:a/b:pull registry:catalog:*')
    expect(covers(scopes, 'repository', 'a/b', 'pull')).toBe(true)
    expect(covers(scopes, 'repository', 'a/b', 'push')).toBe(false)
    expect(covers(scopes, 'repository', 'a/bc', 'pull')).toBe(false)
    expect(covers(scopes, 'registry', 'catalog', 'anything')).toBe(true)
  })
})

describe('limits of a robot', () => {
  it.each([
    'ann/app',
    'ann/app:',
    'ann/app:king',
    ':pull',
    'Ann/app:pull',
    'a b:pull',
    'ann/app:pull,',
    '**:administer',
    `${'*a'.repeat(128)}:pull`,
  ])('%j is none', (text) => expect(parseLimit(text)).toBeUndefined())

  it('permit the actions of a pattern', () => {
    const limits = [parseLimit('ann/*:pull,push')!, parseLimit('docker.io/**:pull')!]
    expect(permits(limits, 'ann/app', 'push')).toBe(true)
    expect(permits(limits, 'ann/app', 'delete')).toBe(false)
    expect(permits(limits, 'ann/app/deep', 'pull')).toBe(false)
    expect(permits(limits, 'docker.io/library/node', 'pull')).toBe(true)
  })
})

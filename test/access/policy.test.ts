import { describe, expect, it } from 'vitest'
import {
  Policy,
  type Action,
  type PolicySettings,
  type RepositoryFacts,
  type Subject,
} from '../../src/access/policy.ts'
import { parseLimit } from '../../src/access/scope.ts'
import type { Role } from '../../src/metadata/metadata.ts'

const actions: Action[] = ['pull', 'private', 'push', 'delete', 'administer']

const grants: Record<string, Role> = {
  'bob team/app': 'writer',
  'ops team': 'reader',
  'ops other/app': 'owner',
}
const facts: RepositoryFacts = {
  grant: (account, name) => grants[`${account} ${name}`],
  isPublic: (name) => name === 'team/open',
}

const somebody = (account?: string, roles: Record<string, Role> = {}, more: Partial<Subject> = {}): Subject => ({
  account,
  admin: false,
  roles: new Map(Object.entries(roles)),
  ...more,
})
const nobody = somebody()
const limit = (scope: string) => [parseLimit(scope)!]

/** What somebody may do, in the order of `actions`: `pull push`. */
function rights(who: Subject, name: string, settings: Partial<PolicySettings> = {}): string {
  const policy = new Policy({ anonymous: 'pull', private: 'login', policy: [], ...settings })
  const hosted = !/^(docker|ghcr)\.io\//.test(name)
  return actions.filter((action) => policy.decide({ who, action, name, hosted }, facts).allowed).join(' ')
}

const ofUpstream = 'pull private'
const owner = 'pull push delete administer'

describe('without rules', () => {
  it.each<[string, Subject, string, string]>([
    ['nobody in a private repository', nobody, 'team/app', ''],
    ['nobody in a public repository', nobody, 'team/open', 'pull'],
    ['nobody at an upstream', nobody, 'docker.io/library/node', 'pull'],
    ['a stranger in a private repository', somebody('eve'), 'team/app', ''],
    ['a stranger in a public repository', somebody('eve'), 'team/open', 'pull'],
    ['a stranger at an upstream', somebody('eve'), 'docker.io/library/node', 'pull'],
    ['a user in the own namespace', somebody('ann'), 'ann/app', owner],
    ['a user in a namespace that begins alike', somebody('ann'), 'anna/app', ''],
    ['an owner of the organization', somebody('ann', { team: 'owner' }), 'team/app', owner],
    ['a writer of the organization', somebody('ann', { team: 'writer' }), 'team/app', 'pull push'],
    ['a reader of the organization', somebody('ann', { team: 'reader' }), 'team/app', 'pull'],
    ['a member of another one', somebody('ann', { other: 'owner' }), 'team/app', ''],
    ['whom the repository was granted to', somebody('bob'), 'team/app', 'pull push'],
    ['the same in another repository', somebody('bob'), 'team/other', ''],
    ['a reader who was granted more', somebody('bob', { team: 'reader' }), 'team/app', 'pull push'],
    [
      'an owner through a grant of the namespace to the organization',
      somebody('ann', { ops: 'owner' }),
      'team/app',
      'pull',
    ],
    ['an owner of what was granted to the organization', somebody('ann', { ops: 'owner' }), 'other/app', owner],
    ['a reader of what was granted to the organization', somebody('ann', { ops: 'reader' }), 'other/app', 'pull'],
    ['an admin in a repository', somebody('root', {}, { admin: true }), 'team/app', owner],
    ['an admin at an upstream', somebody('root', {}, { admin: true }), 'docker.io/library/node', ofUpstream],
  ])('%s', (_, who, name, wanted) => {
    expect(rights(who, name)).toBe(wanted)
  })

  it('only a repository that is there is public', () => {
    const policy = new Policy({ anonymous: 'pull', private: 'login', policy: [] })
    expect(policy.decide({ who: nobody, action: 'pull', name: 'team/open', hosted: true }, facts).ifThere).toBe(true)
  })
})

describe('access.anonymous', () => {
  it('none leaves nobody anything, and users what they have', () => {
    expect(rights(nobody, 'team/open', { anonymous: 'none' })).toBe('')
    expect(rights(nobody, 'docker.io/library/node', { anonymous: 'none' })).toBe('')
    expect(rights(somebody('eve'), 'team/open', { anonymous: 'none' })).toBe('pull')
    expect(rights(somebody('eve'), 'docker.io/library/node', { anonymous: 'none' })).toBe('pull')
  })

  it('none goes before rules for anyone: a client without a login is turned away at the door', () => {
    const policy = [{ match: '**', pull: ['anyone'], push: ['anyone'] }]
    expect(rights(nobody, 'team/app', { anonymous: 'none', policy })).toBe('')
    expect(rights(somebody('eve'), 'team/app', { anonymous: 'none', policy })).toBe('pull push')
  })

  it('push opens all that is hosted but its administration', () => {
    expect(rights(nobody, 'team/app', { anonymous: 'push' })).toBe('pull push delete')
    expect(rights(nobody, 'docker.io/library/node', { anonymous: 'push' })).toBe('pull')
  })
})

describe('rules', () => {
  const policy = [
    { match: 'ghcr.io/org/secret', pull: [] },
    { match: 'ghcr.io/org/**', pull: ['users'], private: ['ops', 'ann'] },
    { match: 'team/release', pull: ['anyone'], push: ['robot'] },
    { match: '**', push: ['anyone'] },
  ]
  const by = (who: Subject, name: string) => rights(who, name, { policy })

  it('decide by the first that fits and names the action', () => {
    expect(by(nobody, 'ghcr.io/org/app')).toBe('')
    expect(by(somebody('eve'), 'ghcr.io/org/app')).toBe('pull')
    expect(by(somebody('ann'), 'ghcr.io/org/app')).toBe('pull private')
    expect(by(somebody('bob', { ops: 'reader' }), 'ghcr.io/org/app')).toBe('pull private')
    expect(by(somebody('ann'), 'ghcr.io/org/secret')).toBe('private')
    expect(by(nobody, 'team/release')).toBe('pull')
    expect(by(somebody('robot'), 'team/release')).toBe('pull push')
  })

  it('take from owners what they do not open to them, and leave the rest', () => {
    expect(by(somebody('ann', { team: 'owner' }), 'team/release')).toBe('pull delete administer')
  })

  it('open no upstream to pushes, and take nothing from admins', () => {
    expect(by(somebody('eve'), 'docker.io/library/node')).toBe('pull')
    expect(by(somebody('root', {}, { admin: true }), 'team/release')).toBe(owner)
  })

  it('fit whole names alone', () => {
    expect(rights(nobody, 'team/release-2', { policy: [{ match: 'team/release', pull: ['anyone'] }] })).toBe('')
  })
})

describe('a robot', () => {
  it('may no more than its owner, and no more than its token', () => {
    const admin = { admin: true }
    expect(rights(somebody('ann', {}, { limits: limit('ann/app:pull,push') }), 'ann/app')).toBe('pull push')
    expect(rights(somebody('ann', {}, { limits: limit('ann/app:pull,push') }), 'ann/other')).toBe('')
    expect(rights(somebody('ann', {}, { limits: limit('**:pull,push,delete') }), 'team/app')).toBe('')
    expect(rights(somebody('root', {}, { ...admin, limits: limit('team/*:pull') }), 'team/app')).toBe('pull')
    expect(rights(somebody('root', {}, { ...admin, limits: limit('ghcr.io/**:pull') }), 'ghcr.io/a/b')).toBe(
      'pull private',
    )
  })
})

import { describe, expect, it } from 'vitest'
import type { AccountRecord, Metadata, TokenRecord } from '../../src/metadata/metadata.ts'
import { openForEach, type MakeMetadata } from './open-metadata.ts'

const ann: AccountRecord = { name: 'ann', kind: 'user', password: '$argon2id$1', admin: true, createdAt: 1 }
const team: AccountRecord = { name: 'team', kind: 'organization', password: undefined, admin: false, createdAt: 2 }
const token: TokenRecord = {
  id: 't1',
  owner: 'ann',
  name: 'ci',
  secretHash: 'ab',
  scopes: ['team/*:pull,push'],
  createdAt: 3,
  expiresAt: undefined,
}

/** What every AccessMetadata does. */
export function testAccessMetadata(name: string, make: MakeMetadata): void {
  describe(`accounts and rights: ${name}`, () => {
    let metadata: Metadata
    const { open, again } = openForEach(make, (opened) => (metadata = opened))
    const reopened = async () => {
      await again()
      return metadata.access.load()
    }

    it('keep users and organizations, which never share a name', async () => {
      const { access } = metadata
      expect(await access.addAccount(ann)).toBe(true)
      expect(await access.addAccount(team)).toBe(true)
      expect(await access.addAccount({ ...team, name: 'ann' })).toBe(false)
      expect((await reopened()).accounts).toEqual([ann, team])
    })

    it('keep passwords, of users alone', async () => {
      const { access } = metadata
      await access.addAccount(ann)
      await access.addAccount(team)
      expect(await access.setPassword('ann', '$argon2id$2')).toBe(true)
      expect(await access.setPassword('team', '$argon2id$2')).toBe(false)
      expect(await access.setPassword('nobody', '$argon2id$2')).toBe(false)
      expect((await reopened()).accounts).toEqual([{ ...ann, password: '$argon2id$2' }, team])
    })

    it('keep members of organizations in one role each', async () => {
      const { access } = metadata
      await access.addAccount(team)
      expect(await access.setMember('team', 'ann', 'reader')).toBe(true)
      expect(await access.setMember('team', 'ann', 'owner')).toBe(true)
      expect(await access.setMember('team', 'bob', 'writer')).toBe(true)
      expect(await access.setMember('team', 'bob', undefined)).toBe(true)
      expect(await access.setMember('ann', 'bob', 'writer')).toBe(false)
      expect((await reopened()).members).toEqual([{ organization: 'team', user: 'ann', role: 'owner' }])
    })

    it('keep tokens until they are removed', async () => {
      const { access } = metadata
      const expiring = { ...token, id: 't2', secretHash: 'cd', expiresAt: 9 }
      await access.addToken(token)
      await access.addToken(expiring)
      expect((await reopened()).tokens).toEqual([token, expiring])
      expect(await metadata.access.removeToken('t1')).toEqual(token)
      expect(await metadata.access.removeToken('t1')).toBeUndefined()
      expect((await metadata.access.load()).tokens).toEqual([expiring])
    })

    it('keep grants and what is public', async () => {
      const { access } = metadata
      await access.setGrant('team/app', 'ann', 'reader')
      await access.setGrant('team/app', 'ann', 'writer')
      await access.setGrant('team', 'bob', 'reader')
      await access.setGrant('team', 'bob', undefined)
      await access.setPublic('team', true)
      await access.setPublic('team/app', false)
      const { grants, publicity } = await reopened()
      expect(grants).toEqual([{ name: 'team/app', account: 'ann', role: 'writer' }])
      expect(publicity).toEqual([
        { name: 'team', public: true },
        { name: 'team/app', public: false },
      ])
    })

    it('lose with an account all that it had', async () => {
      const { access } = metadata
      await access.addAccount(ann)
      await access.addAccount(team)
      await access.setMember('team', 'ann', 'owner')
      await access.setMember('team', 'bob', 'reader')
      await access.addToken(token)
      await access.setGrant('team/app', 'ann', 'reader')
      expect(await access.removeAccount('ann')).toBe(true)
      expect(await access.removeAccount('ann')).toBe(false)
      expect(await access.load()).toMatchObject({ accounts: [team], tokens: [], grants: [] })
      await access.removeAccount('team')
      expect(await reopened()).toMatchObject({ accounts: [], members: [] })
    })

    it('count every change, also that of another process', async () => {
      const other = open()
      const before = await metadata.access.version()
      await other.access.addAccount(ann)
      await other.close()
      const after = await metadata.access.version()
      expect(after).toBeGreaterThan(before)
      expect((await metadata.access.load()).version).toBe(after)
    })
  })
}

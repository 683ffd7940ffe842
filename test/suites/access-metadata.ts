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

    it('keep whose claims made somebody a member or an admin, until somebody here does', async () => {
      const { access } = metadata
      const bob = { ...ann, name: 'bob', admin: false }
      for (const account of [team, bob]) await access.addAccount(account)
      await access.setMember('team', 'bob', 'reader', 'https://issuer')
      expect(await access.setAdminBy('bob', 'https://issuer')).toBe(true)
      expect(await access.setAdminBy('team', 'https://issuer')).toBe(false)
      const { members, accounts } = await reopened()
      expect(members).toEqual([{ organization: 'team', user: 'bob', role: 'reader', issuer: 'https://issuer' }])
      expect(accounts).toEqual([{ ...bob, admin: true, adminBy: 'https://issuer' }, team])
      await metadata.access.setMember('team', 'bob', 'reader')
      await metadata.access.setAdminBy('bob', undefined)
      expect(await reopened()).toMatchObject({
        members: [{ organization: 'team', user: 'bob', role: 'reader', issuer: undefined }],
        accounts: [{ ...bob, admin: false }, team],
      })
    })

    it('keep whose a login elsewhere is, which is never two users’', async () => {
      const { access } = metadata
      const login = { id: 'i1', issuer: 'https://issuer', subject: '1', user: 'ann', addedAt: 4 }
      expect(await access.addIdentity(login, ann)).toBe(true)
      expect(await access.addIdentity({ ...login, id: 'i2', user: 'bob' })).toBe(false)
      expect(await access.addIdentity({ ...login, id: 'i2', subject: '2' }, ann)).toBe(false)
      expect(await access.addIdentity({ ...login, id: 'i3', issuer: 'https://other' })).toBe(true)
      const { identities, accounts } = await reopened()
      expect(accounts).toEqual([ann])
      expect(identities.map(({ id, removed }) => [id, removed])).toEqual([
        ['i1', false],
        ['i3', false],
      ])
      expect(await metadata.access.removeIdentity('i3')).toBe(true)
      expect(await metadata.access.removeIdentity('i3')).toBe(false)
      expect((await metadata.access.load()).identities).toEqual([{ ...login, removed: false }])
    })

    it('lose with a login elsewhere what its claims gave, and nothing else', async () => {
      const { access } = metadata
      const [bob, crew] = [
        { ...ann, name: 'bob', admin: false },
        { ...team, name: 'crew' },
      ]
      for (const account of [team, crew]) await access.addAccount(account)
      const login = { id: 'i1', issuer: 'https://issuer', subject: '1', user: 'bob', addedAt: 4 }
      await access.addIdentity(login, bob)
      await access.setMember('team', 'bob', 'reader', login.issuer)
      await access.setMember('crew', 'bob', 'owner')
      await access.setAdminBy('bob', login.issuer)
      await access.removeIdentity('i1')
      expect(await reopened()).toMatchObject({
        accounts: [{ name: 'bob', admin: false }, crew, team],
        members: [{ organization: 'crew', user: 'bob', role: 'owner' }],
        identities: [],
      })
    })

    it('remember whose login was removed with its account, until it is linked anew', async () => {
      const { access } = metadata
      const login = { id: 'i1', issuer: 'https://issuer', subject: '1', user: 'ann', addedAt: 4 }
      await access.addIdentity(login, ann)
      await access.removeAccount('ann')
      expect((await reopened()).identities).toEqual([{ ...login, removed: true }])
      const again = { ...login, id: 'i2', user: 'bob' }
      expect(await metadata.access.addIdentity(again)).toBe(true)
      expect((await reopened()).identities).toEqual([{ ...again, removed: false }])
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

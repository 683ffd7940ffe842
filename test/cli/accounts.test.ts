import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sqliteMetadata } from '../../src/metadata/sqlite.ts'
import { addUser, berthCli, createToken, setUp } from '../helpers/cli.ts'
import { makeFolder } from '../helpers/folder.ts'

const newData = () => join(makeFolder(), 'data')

async function recordsIn(data: string) {
  const metadata = sqliteMetadata(join(data, 'berth.db'))
  const records = await metadata.access.load()
  const namespaces = await metadata.hosted.listNamespaces()
  await metadata.close()
  return { ...records, namespaces }
}

describe('berth user', () => {
  it('adds a user with a password of standard input, keeps it as argon2id alone, and hosts its namespace', async () => {
    const data = newData()
    expect(await berthCli(data, ['user', 'add', 'ann', '--admin'], 'correct horse\n')).toContain(
      'docker push HOST/ann/',
    )
    const { accounts, namespaces } = await recordsIn(data)
    expect(accounts).toMatchObject([{ name: 'ann', kind: 'user', admin: true }])
    expect(accounts[0]?.password).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(namespaces).toEqual(['ann'])
    expect(await berthCli(data, ['user', 'list'])).toMatch(/^ann {2}admin {2}\d{4}-\d\d-\d\d\n$/)
  })

  it('takes a password from a file, and none from the command line', async () => {
    const data = newData()
    const file = join(makeFolder({ password: 'correct horse\n' }), 'password')
    expect(await berthCli(data, ['user', 'add', 'ann', '--password-file', file])).toContain('was added')
    expect(await berthCli(data, ['user', 'add', 'bob', '--password', 'correct horse'])).toMatch(/unknown option.*2$/s)
  })

  it('refuses a second account of a name, short passwords and names that are no namespace or mean others', async () => {
    const data = newData()
    await addUser(data, 'ann', 'correct horse')
    const add = (name: string, password = 'correct horse') => berthCli(data, ['user', 'add', '--', name], password)
    expect(await add('ann')).toMatch(/there is an account ann already\nexit code 1$/)
    expect(await add('bob', 'short')).toMatch(/8 to 256 characters, saw 5\nexit code 1$/)
    for (const name of ['Ann', 'a b', 'a:b', 'users', 'anyone', 'anonymous', 'docker.io', '-a']) {
      expect(await add(name)).toMatch(/exit code 1$/)
    }
    expect(await berthCli(data, ['org', 'add', 'ann'])).toMatch(/already\nexit code 1$/)
  })

  it('changes passwords, and removes a user with its tokens', async () => {
    const data = newData()
    await addUser(data, 'ann', 'correct horse')
    await createToken(data, 'ann')
    const before = (await recordsIn(data)).accounts[0]?.password
    expect(await berthCli(data, ['user', 'password', 'ann'], 'battery staple')).toContain('was changed')
    expect((await recordsIn(data)).accounts[0]?.password).not.toBe(before)
    expect(await berthCli(data, ['user', 'password', 'bob'], 'battery staple')).toMatch(/no user "bob"\nexit code 1$/)
    expect(await berthCli(data, ['user', 'remove', 'ann'])).toContain('was removed')
    expect(await recordsIn(data)).toMatchObject({ accounts: [], tokens: [], namespaces: ['ann'] })
    expect(await berthCli(data, ['user', 'remove', 'ann'])).toMatch(/no user "ann"\nexit code 1$/)
  })
})

describe('berth org', () => {
  it('adds, lists with members, and removes', async () => {
    const data = newData()
    await addUser(data, 'ann', 'correct horse')
    await setUp(data, 'org add team', 'org member team ann writer')
    expect(await berthCli(data, ['org', 'list'])).toMatch(/^team {2}\S+ {2}ann:writer\n$/)
    expect(await berthCli(data, ['org', 'member', 'team', 'bob', 'reader'])).toMatch(/no user "bob"\nexit code 1$/)
    expect(await berthCli(data, ['org', 'member', 'ann', 'ann', 'reader'])).toMatch(/no organization "ann"\nexit/)
    expect(await berthCli(data, ['org', 'member', 'team', 'ann', 'king'])).toMatch(/Allowed choices.*2$/s)
    await setUp(data, 'org member team ann none', 'org remove team')
    expect(await berthCli(data, ['org', 'list'])).toBe('')
  })
})

describe('berth token', () => {
  it('prints a token once, keeps its hash alone, lists and revokes it by its id', async () => {
    const data = newData()
    await addUser(data, 'ann', 'correct horse')
    const create = ['token', 'create', 'ann', '--name', 'ci', '--scope', 'ann/*:pull,push', '--expires', '30d']
    const said = await berthCli(data, create)
    const [, token = '', id = ''] =
      /^(berth_[\w-]{43})\ntoken (\w+) of ann for ann\/\*:pull,push, expires/.exec(said) ?? []
    const { tokens } = await recordsIn(data)
    expect(tokens).toMatchObject([{ id, owner: 'ann', name: 'ci', scopes: ['ann/*:pull,push'] }])
    expect(tokens[0]!.expiresAt! - tokens[0]!.createdAt).toBe(30 * 24 * 3_600_000)
    expect(JSON.stringify(tokens)).not.toContain(token.slice(6))
    const list = await berthCli(data, ['token', 'list'])
    expect(list).toContain(`${id}  ann  ci  ann/*:pull,push`)
    expect(list).not.toContain(token)
    expect(await berthCli(data, ['token', 'list', 'bob'])).toBe('')
    expect(await berthCli(data, ['token', 'revoke', id])).toBe(`token ${id} of ann (ci) was revoked\n`)
    expect(await berthCli(data, ['token', 'revoke', id])).toMatch(/no token.*exit code 1$/s)
  })

  it('refuses owners that are not there, and what is no scope or duration', async () => {
    const data = newData()
    await addUser(data, 'ann', 'correct horse')
    expect(await berthCli(data, ['token', 'create', 'bob'])).toMatch(/no user or organization "bob"\nexit code 1$/)
    expect(await berthCli(data, ['token', 'create', 'ann', '--scope', 'ann/*:king'])).toMatch(
      /saw "ann\/\*:king"\nexit/,
    )
    expect(await berthCli(data, ['token', 'create', 'ann', '--expires', 'soon'])).toMatch(/a duration such as 90d.*2$/s)
  })
})

describe('berth repo', () => {
  it('makes public and private, and grants', async () => {
    const data = newData()
    await addUser(data, 'ann', 'correct horse')
    await setUp(data, 'org add team', 'repo public team', 'repo private team/secret', 'repo grant team/app ann reader')
    expect(await berthCli(data, ['repo', 'list'])).toBe(
      'team         public\nteam/app     ann:reader\nteam/secret  private\n',
    )
    await setUp(data, 'repo grant team/app ann none')
    expect(await berthCli(data, ['repo', 'list'])).not.toContain('ann')
    expect(await berthCli(data, ['repo', 'public', 'docker.io/library/node'])).toMatch(/hosted here.*exit code 1$/s)
    expect(await berthCli(data, ['repo', 'grant', 'team', 'nobody', 'reader'])).toMatch(/no user or organization.*1$/s)
  })
})

describe('berth may', () => {
  it('tells yes or no, and why, with exit code 1 for no', async () => {
    const data = newData()
    await addUser(data, 'ann', 'correct horse')
    await addUser(data, 'bob', 'correct horse')
    await addUser(data, 'root', 'correct horse', '--admin')
    await setUp(
      data,
      'org add team',
      'org member team ann writer',
      'repo public team/open',
      'repo grant team/app bob reader',
    )
    const may = (...asked: string[]) => berthCli(data, ['may', ...asked])
    expect(await may('ann', 'push', 'ann/app')).toBe('ann may push ann/app: ann is its own namespace\n')
    expect(await may('ann', 'push', 'team/app')).toBe('ann may push team/app: ann is writer in team\n')
    expect(await may('ann', 'delete', 'team/app')).toBe(
      'berth: ann may not delete team/app: ann is writer in team, which is not enough\nexit code 1',
    )
    expect(await may('bob', 'pull', 'team/app')).toBe('bob may pull team/app: bob was made reader of team/app\n')
    expect(await may('bob', 'pull', 'team/secret')).toMatch(/may not pull team\/secret: team\/secret is private\nexit/)
    expect(await may('anonymous', 'pull', 'team/open')).toMatch(/may pull team\/open, if it is there: .*is public\n$/)
    expect(await may('anonymous', 'pull', 'node')).toBe('anonymous may pull docker.io/library/node: everybody may\n')
    expect(await may('bob', 'private', 'ghcr.io/org/app')).toMatch(/may not private ghcr.io\/org\/app/)
    expect(await may('root', 'private', 'ghcr.io/org/app')).toContain('root is an admin')
    expect(await may('root', 'push', 'ghcr.io/org/app')).toMatch(/only read\nexit code 1$/)
    expect(await may('eve', 'pull', 'node')).toMatch(/no user or organization "eve"\nexit code 1$/)
  })
})

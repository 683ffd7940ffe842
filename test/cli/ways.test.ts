import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { addUser, berthCli, createToken, runBerth, setUp, type CliRun } from '../helpers/cli.ts'
import { startBerth as startProcess } from '../helpers/berth-process.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { basic, passwordOf } from '../helpers/login.ts'
import { startBerth } from '../helpers/start.ts'

// A command does the same wherever the registry is: a data folder without a server, one with a server, or a server elsewhere.

/** One registry's life, each line a command; a line may have a password behind it. */
const commands: readonly (readonly [line: string, password?: string])[] = [
  ['user add bob', 'correct horse'],
  ['user add bob', 'correct horse'],
  ['user add eve', 'short'],
  ['user list'],
  ['user list --json'],
  ['user password bob', 'battery staple'],
  ['user password nobody', 'battery staple'],
  ['org add team'],
  ['org member team bob writer'],
  ['org list'],
  ['token create bob --name ci --scope bob/*:pull,push --expires never'],
  ['token create bob --scope admin'],
  ['token create nobody'],
  ['token list bob'],
  ['token revoke none'],
  ['repo public team'],
  ['repo private team/secret'],
  ['repo grant team/app bob owner'],
  ['repo public docker.io/library/node'],
  ['repo list'],
  ['repo list --json'],
  ['repo delete team/app:1'],
  ['repo delete docker.io/library/node:20'],
  ['repo tag team/app:1 2'],
  ['namespace add crew'],
  ['namespace add crew'],
  ['namespace add docker.io'],
  ['namespace list'],
  ['namespace remove crew'],
  ['namespace remove crew'],
  ['may bob push team/app'],
  ['may anonymous push team/app'],
  ['may anonymous push team/app --json'],
  ['may eve pull node'],
  ['collect --dry-run'],
  ['spending'],
  ['pin docker.io/library/node:20*'],
  ['pin <b>'],
  ['pin'],
  ['unpin docker.io/library/node:20*'],
  ['unpin docker.io/library/node:20*'],
  ['evict'],
  ['evict docker.io/library/node'],
  ['tags team/app'],
  ['history team/app:1'],
  ['org member team bob none'],
  ['org remove team'],
  ['user remove team'],
  ['user remove bob'],
]

/** Without what differs from run to run. */
function constant({ code, out, err }: CliRun): string {
  const text = `${out}${err}exit code ${code}`
  return text
    .replace(/berth_[\w-]{43}/g, 'TOKEN')
    .replace(/\b[0-9a-f]{10}\b/g, 'ID')
    .replace(/"createdAt": \d+/g, '"createdAt": 0')
    .replace(/\b20\d\d-\d\d-\d\d\b/g, 'DATE')
}

async function live(env: NodeJS.ProcessEnv): Promise<string[]> {
  const said: string[] = []
  for (const [line, password = ''] of commands) {
    said.push(`$ berth ${line}\n${constant(await runBerth(line.split(' '), env, password))}`)
  }
  return said
}

/** A data folder with an admin, root. */
async function makeData(): Promise<string> {
  const data = join(makeFolder(), 'data')
  await addUser(data, 'root', passwordOf('root'), '--admin')
  return data
}

describe('commands', () => {
  it('say and do the same without a server, beside one, and to one elsewhere', { timeout: 240_000 }, async () => {
    const alone = await live({ BERTH_STORAGE_DATA: await makeData() })
    expect(alone.join('\n')).not.toMatch(/Error|TypeError|at .*\.ts:/)
    await expect(alone.join('\n')).toMatchFileSnapshot('../golden/commands.txt')

    const { data } = await startBerth({ data: await makeData() })
    expect(await live({ BERTH_STORAGE_DATA: data })).toEqual(alone)

    const other = await startBerth({ data: await makeData() })
    const token = await createToken(other.data, 'root', 'admin')
    expect(await live({ BERTH_SERVER: other.url, BERTH_TOKEN: token })).toEqual(alone)
  })
})

describe('beside a server, commands speak to it', () => {
  it('by a socket that its user alone may open, gone with the server', async () => {
    const berth = await startBerth()
    const socket = join(berth.data, 'operator.sock')
    expect((statSync(socket).mode & 0o777).toString(8)).toBe('600')
    expect(statSync(socket).isSocket()).toBe(true)
    await berth.stop()
    expect(() => statSync(socket)).toThrow('ENOENT')
  })

  it('so that what they change counts from the moment they end', async () => {
    const data = await makeData()
    const { url } = await startBerth({ data })
    const status = async (headers: Record<string, string>) => (await fetchRaw(`${url}/v2/`, { headers })).status
    await addUser(data, 'ann', passwordOf('ann'))
    expect(await status(basic('ann'))).toBe(200)
    const token = await createToken(data, 'ann')
    expect(await status(basic('robot', token))).toBe(200)
    const [id = ''] = (await berthCli(data, ['token', 'list', 'ann'])).split(' ', 1)
    await setUp(data, `token revoke ${id}`)
    expect(await status(basic('robot', token))).toBe(401)
    await setUp(data, 'user remove ann')
    expect(await status(basic('ann'))).toBe(401)
  })

  it('and work without one that was killed; the next one takes its place', { timeout: 120_000 }, async () => {
    const data = await makeData()
    const home = makeFolder()
    const env = { BERTH_STORAGE_DATA: data, BERTH_LISTEN: '127.0.0.1:0', BERTH_LOG_LEVEL: 'silent' }
    const killed = startProcess(['serve'], home, env)
    await killed.printed(/listens on/)
    killed.child.kill('SIGKILL')
    await killed.ended
    expect(statSync(join(data, 'operator.sock')).isSocket()).toBe(true)
    expect(await runBerth(['status'], env)).toMatchObject({
      code: 1,
      err: expect.stringContaining('berth serve') as string,
    })
    expect(await berthCli(data, ['user', 'list'])).toContain('root')
    await startBerth({ data })
    expect(await berthCli(data, ['status'])).toMatch(/^running {2,}the server on /)
  })

  it('but work beside it where the folder lies too deep for a socket', async () => {
    const data = join(makeFolder(), 'a-folder-with-a-long-name'.repeat(5), 'data')
    await addUser(data, 'ann', passwordOf('ann'))
    const { url } = await startBerth({ data })
    await addUser(data, 'bob', passwordOf('bob'))
    const status = async () => (await fetchRaw(`${url}/v2/`, { headers: basic('bob') })).status
    await expect.poll(status, { timeout: 5_000 }).toBe(200)
  })
})

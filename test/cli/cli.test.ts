import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/cli.ts'
import { makeFolder } from '../helpers/folder.ts'

async function run(argv: string[], env: NodeJS.ProcessEnv = {}) {
  let out = ''
  let err = ''
  const code = await runCli(argv, { out: (text) => (out += text), err: (text) => (err += text), env })
  return { code, out, err }
}

const commands = [
  'serve',
  'namespace',
  'user',
  'org',
  'token',
  'repo',
  'may',
  'tags',
  'history',
  'evict',
  'pin',
  'unpin',
  'warm',
  'collect',
  'status',
  'audit',
  'spending',
  'login',
  'logout',
  'ca',
  'config',
  'version',
]

describe('help', () => {
  it.each([[], ...commands.map((name) => [name])])('berth %s --help is as in the golden file', async (...command) => {
    const { code, out, err } = await run([...command, '--help'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    await expect(out).toMatchFileSnapshot(`../golden/help${command.map((name) => `-${name}`).join('')}.txt`)
  })

  it('goes to stderr with exit code 2 when no command is named', async () => {
    const { code, out, err } = await run([])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toBe((await run(['--help'])).out)
  })
})

describe('a mistake on the command line', () => {
  it.each([
    [['serve', '--port', '1'], "error: unknown option '--port'\n"],
    [['sevre'], "error: unknown command 'sevre'\n(Did you mean serve?)\n"],
    [['serve', '--config'], "error: option '-c, --config <file>' argument missing\n"],
    [['serve', 'here'], "error: too many arguments for 'serve'. Expected 0 arguments but got 1.\n"],
  ])('berth %j has exit code 2', async (argv, message) => {
    expect(await run(argv)).toEqual({ code: 2, out: '', err: message })
  })
})

describe('berth config', () => {
  it('prints the settings in force', async () => {
    const file = join(makeFolder({ 'b.yaml': 'storage: { maxSize: 1GiB }' }), 'b.yaml')
    const { code, out } = await run(['config', '--config', file], { BERTH_LISTEN: '127.0.0.1:80' })
    expect(code).toBe(0)
    expect(out).toContain('maxSize: 1GiB')
    expect(out).toContain('listen: 127.0.0.1:80')
  })

  it('prints the JSON schema with --schema, whatever the settings', async () => {
    const { code, out } = await run(['config', '--schema'], { BERTH_LISTEN: 'wrong' })
    expect(code).toBe(0)
    expect(JSON.parse(out)).toHaveProperty('properties.storage.properties.maxSize')
  })
})

describe.each(['serve', 'config'])('berth %s with wrong settings', (command) => {
  it('tells every mistake on stderr and has exit code 2', async () => {
    const env = { BERTH_LISTEN: 'here', BERTH_STORAGE_MAX_SIZE: 'much', BERTH_COLOUR: 'blue' }
    const { code, out, err } = await run([command], env)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err.split('\n')).toEqual([
      'BERTH_COLOUR: must be the variable of an option, saw an unknown one',
      'listen (BERTH_LISTEN): must be HOST:PORT such as 127.0.0.1:5000 or [::1]:5000, saw "here"',
      expect.stringContaining('storage.maxSize (BERTH_STORAGE_MAX_SIZE): must be a size'),
      '',
    ])
  })
})

it('berth version and berth --version print the version in package.json', async () => {
  const { version } = (await import('../../package.json', { with: { type: 'json' } })).default
  expect(await run(['version'])).toEqual({ code: 0, out: `berth ${version}\n`, err: '' })
  expect((await run(['--version'])).out).toBe(`${version}\n`)
})

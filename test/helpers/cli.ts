import { Readable } from 'node:stream'
import { runCli } from '../../src/cli/cli.ts'

export interface CliRun {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** `berth` with this environment alone, and this on standard input. */
export async function runBerth(argv: readonly string[], env: NodeJS.ProcessEnv, input = ''): Promise<CliRun> {
  let out = ''
  let err = ''
  const write = { out: (text: string) => void (out += text), err: (text: string) => void (err += text) }
  const code = await runCli(argv, { ...write, env, input: Readable.from([input]) })
  return { code, out, err }
}

/** `berth` on a data folder, with this on standard input and more of the environment; what it printed, with its exit code when that is not 0. */
export async function berthCli(data: string, argv: readonly string[], input = '', more = {}): Promise<string> {
  const { code, out, err } = await runBerth(argv, { BERTH_STORAGE_DATA: data, ...more }, input)
  return code === 0 ? out + err : `${out}${err}exit code ${code}`
}

export async function addUser(data: string, name: string, password: string, ...options: string[]): Promise<void> {
  await expectDone(data, ['user', 'add', name, ...options], password)
}

/** A token of this owner, for these scopes. */
export async function createToken(data: string, owner: string, ...scopes: string[]): Promise<string> {
  const said = await expectDone(data, ['token', 'create', owner, ...(scopes.length > 0 ? ['--scope', ...scopes] : [])])
  return said.split('\n', 1)[0]!
}

/** Runs commands, each a line such as `org add team`, that must succeed. */
export async function setUp(data: string, ...commands: string[]): Promise<void> {
  for (const command of commands) await expectDone(data, command.split(' '))
}

async function expectDone(data: string, argv: readonly string[], input?: string): Promise<string> {
  const said = await berthCli(data, argv, input)
  if (/exit code \d$/.test(said)) throw new Error(`berth ${argv.join(' ')}: ${said}`)
  return said
}

import { Command, InvalidArgumentError } from 'commander'
import { accounts } from '../admin/operations.ts'
import { parseDuration } from '../config/config.ts'
import { columns, day, json } from './columns.ts'
import type { Io } from './io.ts'
import { targeted, withApi, type Target } from './target.ts'

interface CreateOptions extends Target {
  name: string
  scope: string[]
  /** Milliseconds, Infinity for never. */
  expires: number
  json?: boolean
}

export function tokenCommand(io: Io): Command {
  const command = new Command('token').description('create, list and revoke tokens, for robots to log in with')
  targeted(command.command('create <owner>'))
    .description('create a token of a user or an organization and print it, this once')
    .option('--name <text>', 'what it is for', '')
    .option('--scope <scope...>', 'what it is good for, as PATTERN:pull,push,delete; admin: all that an admin may', [
      '**:pull',
    ])
    .option('--expires <duration>', 'such as 90d, or never', lifetime, 365 * 24 * 3_600_000)
    .option('--json', 'print JSON')
    .action((owner: string, options: CreateOptions) => create(owner, options, io))
  targeted(command.command('list [owner]'))
    .description('print the tokens, one a line: id, owner, what for, scopes, made, expires')
    .option('--json', 'print JSON')
    .action(async (owner: string | undefined, options: Target & { json?: boolean }) => {
      const all = await withApi(options, io, (api) => api.call(accounts.listTokens, {}))
      const tokens = all.filter((token) => owner === undefined || token.owner === owner)
      const rows = tokens.map(({ id, owner, name, scopes, createdAt, expiresAt }) => {
        return [id, owner, name, scopes.join(' '), day(createdAt), day(expiresAt)]
      })
      io.out(options.json ? json(tokens) : columns(rows))
    })
  targeted(command.command('revoke <id>'))
    .description('revoke a token; it is refused within seconds')
    .action(async (id: string, target: Target) => {
      const { owner, name } = await withApi(target, io, (api) => api.call(accounts.revokeToken, { id }))
      io.out(`token ${id} of ${owner}${name && ` (${name})`} was revoked\n`)
    })
  return command
}

async function create(owner: string, { name, scope, expires, ...options }: CreateOptions, io: Io): Promise<void> {
  const asked = { owner, name, scopes: scope, lifetime: expires === Infinity ? undefined : expires }
  const made = await withApi(options, io, (api) => api.call(accounts.createToken, asked))
  if (options.json) return io.out(json(made))
  const { token, record } = made
  io.out(`${token}\n`)
  io.err(`token ${record.id} of ${owner} for ${scope.join(' ')}, expires ${day(record.expiresAt)}: shown this once\n`)
}

function lifetime(text: string): number {
  const milliseconds = text === 'never' ? Infinity : parseDuration(text)
  if (milliseconds === undefined) throw new InvalidArgumentError('It must be a duration such as 90d, or never.')
  return milliseconds
}

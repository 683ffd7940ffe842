import { Command, InvalidArgumentError } from 'commander'
import { parseDuration } from '../config/config.ts'
import { columns, day, withAccounts } from './accounts.ts'
import { configOption } from './config-option.ts'
import type { Io } from './io.ts'

interface CreateOptions {
  config?: string
  name: string
  scope: string[]
  /** Milliseconds, Infinity for never. */
  expires: number
}

export function tokenCommand(io: Io): Command {
  const command = new Command('token').description('create, list and revoke tokens, for robots to log in with')
  command
    .command('create <owner>')
    .description('create a token of a user or an organization and print it, this once')
    .option('--name <text>', 'what it is for', '')
    .option('--scope <scope...>', 'what it is good for, as PATTERN:pull,push,delete', ['**:pull'])
    .option('--expires <duration>', 'such as 90d, or never', lifetime, 365 * 24 * 3_600_000)
    .addOption(configOption())
    .action(async (owner: string, { config, name, scope, expires }: CreateOptions) => {
      const asked = { name, scopes: scope, lifetime: expires === Infinity ? undefined : expires }
      const { token, record } = await withAccounts(config, io, (accounts) => accounts.createToken(owner, asked))
      io.out(`${token}\n`)
      io.err(
        `token ${record.id} of ${owner} for ${scope.join(' ')}, expires ${day(record.expiresAt)}: shown this once\n`,
      )
    })
  command
    .command('list [owner]')
    .description('print the tokens, one a line: id, owner, what for, scopes, made, expires')
    .addOption(configOption())
    .action((owner: string | undefined, { config }: { config?: string }) =>
      withAccounts(config, io, async (_, { access }) => {
        const tokens = (await access.load()).tokens.filter((token) => owner === undefined || token.owner === owner)
        const rows = tokens.map(({ id, owner, name, scopes, createdAt, expiresAt }) => {
          return [id, owner, name, scopes.join(' '), day(createdAt), day(expiresAt)]
        })
        io.out(columns(rows))
      }),
    )
  command
    .command('revoke <id>')
    .description('revoke a token; it is refused within seconds')
    .addOption(configOption())
    .action(async (id: string, { config }: { config?: string }) => {
      const { owner, name } = await withAccounts(config, io, (accounts) => accounts.revokeToken(id))
      io.out(`token ${id} of ${owner}${name && ` (${name})`} was revoked\n`)
    })
  return command
}

function lifetime(text: string): number {
  const milliseconds = text === 'never' ? Infinity : parseDuration(text)
  if (milliseconds === undefined) throw new InvalidArgumentError('It must be a duration such as 90d, or never.')
  return milliseconds
}

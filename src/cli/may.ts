import { Argument, Command } from 'commander'
import { rights, type Given } from '../admin/operations.ts'
import { json } from './columns.ts'
import { CommandError, type Io } from './io.ts'
import { targeted, withApi, type Target } from './target.ts'

type Asked = Given<typeof rights.explain>

const actions = ['pull', 'private', 'push', 'delete', 'administer']

export function mayCommand(io: Io): Command {
  return targeted(
    new Command('may')
      .description('tell whether somebody may do something, and why; exit code 1 when not')
      .argument('<user>', 'a user or an organization, or anonymous for who did not log in')
      .addArgument(new Argument('<action>', 'private: to pull what an upstream shows only to us').choices(actions))
      .argument('<name>', 'a repository as clients name it: alice/app, library/nginx, ghcr.io/org/app'),
  )
    .option('--json', 'print JSON')
    .action((user: string, action: Asked['action'], name: string, options: Target & { json?: boolean }) =>
      may({ user, action, name }, options, io),
    )
}

async function may(asked: Asked, options: Target & { json?: boolean }, io: Io): Promise<void> {
  const verdict = await withApi(options, io, (api) => api.call(rights.explain, asked))
  const { name, allowed, provided, why } = verdict
  if (options.json) io.out(json(verdict))
  const { user, action } = asked
  const condition = provided === undefined ? '' : `, if ${provided}`
  const said = `${user} may ${allowed ? '' : 'not '}${action} ${name}${condition}: ${why}`
  if (!allowed) throw new CommandError(said)
  if (!options.json) io.out(`${said}\n`)
}

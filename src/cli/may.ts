import { Argument, Command } from 'commander'
import { explain, type Action, type AskedUpstream } from '../access/access.ts'
import type { Config } from '../config/config.ts'
import { namespaces } from '../namespaces/namespaces.ts'
import { upstreamOf, type RepositoryName } from '../oci/reference.ts'
import type { Registry } from '../oci/registry.ts'
import { configOption } from './config-option.ts'
import { withMetadata } from './hosted.ts'
import { CommandError, type Io } from './io.ts'

const actions = ['pull', 'private', 'push', 'delete', 'administer']

export function mayCommand(io: Io): Command {
  return new Command('may')
    .description('tell whether somebody may do something, and why; exit code 1 when not')
    .argument('<user>', 'a user or an organization, or anonymous for who did not log in')
    .addArgument(new Argument('<action>', 'private: to pull what an upstream shows only to us').choices(actions))
    .argument('<name>', 'a repository as clients name it: alice/app, library/nginx, ghcr.io/org/app')
    .addOption(configOption())
    .action((user: string, action: Action, name: string, { config }: { config?: string }) =>
      may({ user, action, name }, config, io),
    )
}

interface Asked {
  readonly user: string
  readonly action: Action
  readonly name: string
}

async function may({ user, action, name }: Asked, file: string | undefined, io: Io): Promise<void> {
  await withMetadata(file, io, async (metadata, config) => {
    const hosted = new Set([...config.hosted.namespaces, ...(await metadata.hosted.listNamespaces())])
    // Nothing is read: names alone are told apart.
    const registry = undefined as unknown as Registry
    const places = config.upstreams.map((upstream) => ({ ...upstream, registry }))
    const names = namespaces(places, { registry, owns: (namespace) => hosted.has(namespace) })
    const meant = names.locate({ path: name })
    const explained = await explain(config.access, metadata.access, {
      user: user === 'anonymous' ? undefined : user,
      action,
      name: meant,
      upstream: names.isHosted(meant) ? undefined : askedUpstream(meant, config),
    })
    if (!explained) throw new CommandError(`there is no user or organization ${JSON.stringify(user)}`)
    const { allowed, provided, why } = explained
    const condition = provided === undefined ? '' : `, if ${provided}`
    const said = `${user} may ${allowed ? '' : 'not '}${action} ${meant}${condition}: ${why}`
    if (!allowed) throw new CommandError(said)
    io.out(`${said}\n`)
  })
}

function askedUpstream(name: RepositoryName, { upstreams }: Config): AskedUpstream | undefined {
  const found = upstreams.find((upstream) => upstream.name === upstreamOf(name))
  return found && { ...found, hasLogin: found.credentials !== undefined || found.accounts.length > 0 }
}

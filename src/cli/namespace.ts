import { Command } from 'commander'
import { configOption } from './config-option.ts'
import { noteCommand, withMetadata } from './hosted.ts'
import { CommandError, type Io } from './io.ts'

interface Options {
  config?: string
}

/** A namespace is the first part of the names of what is hosted here. */
const form = /^[a-z0-9]+(?:(?:_|__|-+)[a-z0-9]+)*$/

export function namespaceCommand(io: Io): Command {
  const command = new Command('namespace').description('add, list and remove the namespaces that are hosted here')
  command
    .command('add <name>')
    .description('host a namespace: images named <name>/... are pushed here and never taken from an upstream')
    .addOption(configOption())
    .action((name: string, { config }: Options) => add(name, config, io))
  command
    .command('list')
    .description('print the namespaces, one a line')
    .addOption(configOption())
    .action(({ config }: Options) => list(config, io))
  command
    .command('remove <name>')
    .description('host a namespace no more; it must have no content')
    .addOption(configOption())
    .action((name: string, { config }: Options) => remove(name, config, io))
  return command
}

async function add(name: string, file: string | undefined, io: Io): Promise<void> {
  if (!form.test(name)) {
    const saw = JSON.stringify(name.slice(0, 100))
    throw new CommandError(`a namespace must be lower-case letters and digits with - or _ between them, saw ${saw}`)
  }
  await withMetadata(file, io, async (metadata, { upstreams }) => {
    const taken = upstreams.find((upstream) => upstream.name === name || upstream.aliases.includes(name))
    if (taken) {
      throw new CommandError(`${name} is what the upstream ${taken.name} is called; choose another name`)
    }
    const added = await metadata.hosted.addNamespace(name, Date.now())
    if (added) await noteCommand(metadata, { action: 'namespace added', detail: name })
    io.out(added ? `${name} is hosted here now: docker push HOST/${name}/IMAGE\n` : `${name} is hosted here already\n`)
  })
}

async function list(file: string | undefined, io: Io): Promise<void> {
  await withMetadata(file, io, async ({ hosted }, config) => {
    const names = new Set([...config.hosted.namespaces, ...(await hosted.listNamespaces())])
    io.out(
      [...names]
        .sort()
        .map((name) => `${name}\n`)
        .join(''),
    )
  })
}

async function remove(name: string, file: string | undefined, io: Io): Promise<void> {
  await withMetadata(file, io, async (metadata, config) => {
    if (config.hosted.namespaces.includes(name)) {
      throw new CommandError(`${name} stands in the settings (hosted.namespaces): take it out there`)
    }
    const removed = await metadata.hosted.removeNamespace(name)
    if (!removed) throw new CommandError(`there is no namespace ${name}; berth namespace list tells which there are`)
    if (removed.repositories > 0) {
      const what = removed.repositories === 1 ? '1 repository' : `${removed.repositories} repositories`
      throw new CommandError(`${name} still holds ${what}: delete their manifests, and run berth collect`)
    }
    await noteCommand(metadata, { action: 'namespace removed', detail: name })
    io.out(`${name} is hosted here no more\n`)
  })
}

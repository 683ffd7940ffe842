import { stringify } from 'yaml'
import { z } from 'zod'
import { knownUpstreams } from './known-upstreams.ts'
import { valueAt, withValue, type Tree } from './layers.ts'
import { configSchema, type Config } from './options.ts'
import { anyUpstream, optionTable } from './table.ts'

/** The settings as a YAML file that would bring them about, but for secrets, which are shown as `(hidden)`. */
export function formatConfig(config: Config): string {
  const written = z.encode(configSchema, config as z.output<typeof configSchema>)
  const upstreams = (written.upstreams as Tree[]).map(hideSecrets)
  const names = new Set(config.upstreams.map((upstream) => upstream.name))
  const removed = knownUpstreams.filter(({ name }) => !names.has(name)).map(({ name }) => ({ name, enabled: false }))
  return stringify({ ...written, upstreams: [...upstreams, ...removed] }, { lineWidth: 0 })
}

function hideSecrets(upstream: Tree): Tree {
  return optionTable
    .filter(({ secret, path }) => secret && path[1] === anyUpstream)
    .map(({ path }) => path.slice(2))
    .reduce((tree, path) => (valueAt(tree, path) === undefined ? tree : withValue(tree, path, '(hidden)')), upstream)
}

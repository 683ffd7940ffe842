import { stringify } from 'yaml'
import { z } from 'zod'
import { knownUpstreams } from './known-upstreams.ts'
import { valueAt, withValue, type Tree } from './layers.ts'
import { configSchema, type Config } from './options.ts'
import { anyUpstream, optionTable } from './table.ts'

/** The settings as a YAML file that would bring them about, but for secrets, which are shown as `(hidden)`. */
export function formatConfig(config: Config): string {
  const written = z.encode(configSchema, config as z.output<typeof configSchema>)
  const upstreams = (written.upstreams as Tree[]).map((upstream) => hide(upstream, secretsOfUpstreams))
  const names = new Set(config.upstreams.map((upstream) => upstream.name))
  const removed = knownUpstreams.filter(({ name }) => !names.has(name)).map(({ name }) => ({ name, enabled: false }))
  return stringify({ ...hide(written, secrets), upstreams: [...upstreams, ...removed] }, { lineWidth: 0 })
}

const secretPaths = optionTable.filter(({ secret }) => secret).map(({ path }) => path)
const secrets = secretPaths.filter((path) => path[1] !== anyUpstream)
const secretsOfUpstreams = secretPaths.filter((path) => path[1] === anyUpstream).map((path) => path.slice(2))

function hide(tree: Tree, paths: readonly (readonly string[])[]): Tree {
  return paths.reduce(
    (shown, path) => (valueAt(shown, path) === undefined ? shown : withValue(shown, path, '(hidden)')),
    tree,
  )
}

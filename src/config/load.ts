import { checkSettings } from './check.ts'
import { readEnvironment } from './environment.ts'
import { readConfigFile } from './file.ts'
import { knownUpstreams, usualDefault } from './known-upstreams.ts'
import { isTree, mergeTrees, upstreamNames, valueAt, withValue, type Layer, type Tree } from './layers.ts'
import { ConfigError } from './mistakes.ts'
import type { Config } from './options.ts'
import { resolveSecretFiles } from './secrets.ts'

export interface ConfigSources {
  /** A YAML file that must exist; without it the default file is read where there is one. */
  file?: string | undefined
  env: NodeJS.ProcessEnv
}

/**
 * The settings: defaults, over them the YAML file, over that the environment. Throws one ConfigError with every
 * mistake that was found. Reads files, opens nothing else.
 */
export function loadConfig({ file, env }: ConfigSources): Config {
  const known: Tree = { upstreams: Object.fromEntries(knownUpstreams.map((upstream) => [upstream.name, upstream])) }
  const fromFile = readConfigFile(file)
  const fileLayer: Layer = { tree: fromFile.tree, origins: new Map() }
  const envLayer = readEnvironment(env, upstreamNames(mergeTrees(known, fromFile.tree)))
  const mistakes = [
    ...fromFile.mistakes,
    ...envLayer.mistakes,
    ...resolveSecretFiles(fileLayer),
    ...resolveSecretFiles(envLayer),
  ]
  const tree = withDefaultUpstream([known, fileLayer.tree, envLayer.tree].reduce(mergeTrees))
  const { config, mistakes: more } = checkSettings(tree, envLayer.origins)
  mistakes.push(...more)
  if (!config || mistakes.length > 0) throw new ConfigError(mistakes)
  return { ...config, upstreams: config.upstreams.filter((upstream) => upstream.enabled) }
}

function withDefaultUpstream(tree: Tree): Tree {
  const all = isTree(tree.upstreams) ? Object.values(tree.upstreams) : []
  const chosen = all.some((upstream) => isTree(upstream) && upstream.default === true && upstream.enabled !== false)
  const path = ['upstreams', usualDefault, 'default']
  if (chosen || valueAt(tree, path) !== undefined) return tree
  return isTree(valueAt(tree, path.slice(0, 2))) ? withValue(tree, path, true) : tree
}

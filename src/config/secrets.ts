import { readText } from './file.ts'
import { isTree, keyWithOrigin, upstreamNames, valueAt, withValue, type Layer, type Tree } from './layers.ts'
import { mistake, shown } from './mistakes.ts'
import { anyUpstream, fileTwin, keyOf, optionTable } from './table.ts'

/**
 * Puts the content of secret files (`passwordFile`) where the secret goes (`password`). Done for each layer by
 * itself, so that a file named in the environment wins over a password in the YAML file.
 */
export function resolveSecretFiles(layer: Layer): string[] {
  const mistakes: string[] = []
  for (const { path } of optionTable.filter((option) => option.secret)) {
    for (const secretPath of pathsIn(layer.tree, path)) {
      const found = resolveOne(layer, secretPath)
      if (found) mistakes.push(found)
    }
  }
  return mistakes
}

function resolveOne(layer: Layer, secretPath: readonly string[]): string | undefined {
  const groupPath = secretPath.slice(0, -1)
  const secretKey = secretPath.at(-1) ?? ''
  const twinPath = [...groupPath, fileTwin(secretKey)]
  const file = valueAt(layer.tree, twinPath)
  if (file === undefined) return undefined
  const twin = keyWithOrigin(twinPath, layer.origins)
  const both = valueAt(layer.tree, secretPath) !== undefined
  const content = typeof file === 'string' ? readText(file) : { problem: shown(twinPath, file) }
  // After a mistake a stand-in keeps the check from reporting the secret as missing, too.
  const secret = 'text' in content ? content.text.replace(/\r?\n$/, '') : 'unread'
  layer.tree = withValue(withoutKey(layer.tree, twinPath), secretPath, secret)
  const origin = layer.origins.get(keyOf(twinPath))
  if (origin) layer.origins.set(keyOf(secretPath), origin)
  if (both) return mistake(twin, `left out where ${secretKey} is set`, 'both')
  return 'problem' in content ? mistake(twin, 'a readable file', content.problem) : undefined
}

function pathsIn(tree: Tree, path: readonly string[]): string[][] {
  if (!path.includes(anyUpstream)) return [[...path]]
  return upstreamNames(tree).map((name) => path.map((part) => (part === anyUpstream ? name : part)))
}

function withoutKey(tree: Tree, [key = '', ...rest]: readonly string[]): Tree {
  const entries = Object.entries(tree).filter(([name]) => rest.length > 0 || name !== key)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, name === key && isTree(value) ? withoutKey(value, rest) : value]),
  )
}

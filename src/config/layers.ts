import { keyOf, type Path } from './table.ts'

/** Settings as written, before any check. `upstreams` is keyed by name here, so that layers merge. */
export interface Tree {
  [key: string]: unknown
}

/** The settings of one source, and where a value came from if that is not plain from its key. */
export interface Layer {
  tree: Tree
  origins: Map<string, string>
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Later trees win. Groups merge key by key; a list is replaced as a whole. */
export function mergeTrees(below: Tree, above: Tree): Tree {
  const merged = new Map(Object.entries(below))
  for (const [key, value] of Object.entries(above)) {
    const under = merged.get(key)
    merged.set(key, isTree(under) && isTree(value) ? mergeTrees(under, value) : value)
  }
  return Object.fromEntries(merged)
}

export function valueAt(tree: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, part) => {
    if (Array.isArray(value)) return (value as unknown[])[Number(part)]
    return isTree(value) && Object.hasOwn(value, part) ? value[part] : undefined
  }, tree)
}

/** The tree with one value set, groups made on the way. */
export function withValue(tree: Tree, path: readonly string[], value: unknown): Tree {
  return mergeTrees(tree, path.reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as Tree)
}

/** The names of the upstreams a layer speaks of. */
export function upstreamNames(tree: Tree): string[] {
  return isTree(tree.upstreams) ? Object.keys(tree.upstreams) : []
}

/** `storage.maxSize (BERTH_STORAGE_MAX_SIZE)`: the key, and the variable that set it or a value above it. */
export function keyWithOrigin(path: Path, origins: ReadonlyMap<string, string>): string {
  for (let length = path.length; length > 0; length--) {
    const origin = origins.get(keyOf(path.slice(0, length)))
    if (origin) return `${keyOf(path)} (${origin})`
  }
  return keyOf(path)
}

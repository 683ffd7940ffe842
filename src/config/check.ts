import type { z } from 'zod'
import { readText } from './file.ts'
import { isTree, keyWithOrigin, upstreamNames, valueAt, type Tree } from './layers.ts'
import { mistake, quoted, shown } from './mistakes.ts'
import { nearest } from './nearest.ts'
import { configSchema, type Config } from './options.ts'
import { keyOf, keysAt, optionTable, type Path } from './table.ts'

type Origins = ReadonlyMap<string, string>

/** Checks the merged settings against the table; `config` is there when nothing is wrong with them. */
export function checkSettings(tree: Tree, origins: Origins): { config: Config | undefined; mistakes: string[] } {
  const names = upstreamNames(tree)
  const listed = isTree(tree.upstreams) ? { ...tree, upstreams: Object.values(tree.upstreams) } : tree
  const result = configSchema.safeParse(listed)
  const mistakes = (result.error?.issues ?? []).flatMap((issue) => {
    const path = issue.path.map((part, index) => {
      const isUpstream = index === 1 && issue.path[0] === 'upstreams'
      return isUpstream ? (names[Number(part)] ?? String(part)) : (part as string | number)
    })
    return describe(issue, path, valueAt(tree, path), origins)
  })
  return { config: result.data, mistakes: [...mistakes, ...unreadableFiles(tree, origins)] }
}

function unreadableFiles(tree: Tree, origins: Origins): string[] {
  return optionTable.flatMap(({ file, path }) => {
    const value = file ? valueAt(tree, path) : undefined
    const content = typeof value === 'string' ? readText(value) : { text: '' }
    if (!('problem' in content)) return []
    return [mistake(keyWithOrigin(path, origins), 'a readable file', content.problem)]
  })
}

function describe(issue: z.core.$ZodIssue, path: Path, value: unknown, origins: Origins): string[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key))
  const saw = issue.code === 'custom' ? (issue.params?.saw as string | undefined) : undefined
  return [mistake(keyWithOrigin(path, origins), issue.message, saw ?? shown(path, value))]
}

function unknownKey(group: Path, key: string): string {
  const known = keysAt(group)
  const meant = nearest(key, known)
  const must = meant ? `a known key (${meant}?)` : `one of the keys ${known.join(', ')}`
  return mistake([keyOf(group), key].filter((part) => part !== '').join('.'), must, quoted(key))
}

import { existsSync, readFileSync } from 'node:fs'
import { LineCounter, parseDocument } from 'yaml'
import { isTree, mergeTrees, type Tree } from './layers.ts'
import { ConfigError, mistake, quoted, shown } from './mistakes.ts'

/** Read when no --config is given and it exists. */
export const defaultFile = 'config/berth.yaml'

/** The settings of a YAML file. Throws when there is none to speak of: absent, unreadable, not YAML. */
export function readConfigFile(file: string | undefined): { tree: Tree; mistakes: string[] } {
  if (file === undefined && !existsSync(defaultFile)) return { tree: {}, mistakes: [] }
  const content = readText(file ?? defaultFile)
  if ('problem' in content) throw new ConfigError([mistake('--config', 'a readable file', content.problem)])
  return parseConfigFile(content.text, file ?? defaultFile)
}

/** A file's text, or what to say of a file that cannot be read. */
export function readText(file: string): { text: string } | { problem: string } {
  try {
    return { text: readFileSync(file, 'utf8') }
  } catch (error) {
    return { problem: `${quoted(file)} (${reason(error)})` }
  }
}

function reason(error: unknown): string {
  const { code = 'unknown error' } = error as NodeJS.ErrnoException
  const words: Record<string, string> = { ENOENT: 'no such file', EACCES: 'no permission', EISDIR: 'a folder' }
  return words[code] ?? code
}

function parseConfigFile(text: string, file: string): { tree: Tree; mistakes: string[] } {
  const lines = new LineCounter()
  // The parser's own messages quote the file, and with it perhaps a password: only place and kind are told.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0])
        return mistake(file, 'YAML', `${error.code.toLowerCase().replaceAll('_', ' ')} at line ${line}, column ${col}`)
      }),
    )
  }
  const root: unknown = withoutNulls(document.toJS())
  if (root === undefined) return { tree: {}, mistakes: [] }
  if (!isTree(root)) throw new ConfigError([mistake(file, 'a group of keys', shown([], root))])
  return keyUpstreams(root)
}

/** `key:` with nothing after it means not set. */
function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isTree(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]) => [key, withoutNulls(item)] as const)
      .filter(([, item]) => item !== undefined),
  )
}

/** Keys the list of upstreams by name; one without a name goes by its place, for the check to find it nameless. */
function keyUpstreams(root: Tree): { tree: Tree; mistakes: string[] } {
  const { upstreams, ...others } = root
  if (upstreams === undefined) return { tree: root, mistakes: [] }
  if (!Array.isArray(upstreams)) {
    return { tree: others, mistakes: [mistake('upstreams', 'a list of upstreams', shown(['upstreams'], upstreams))] }
  }
  const mistakes: string[] = []
  const byName = new Map<string, unknown>()
  upstreams.forEach((entry: unknown, index) => {
    const name = isTree(entry) && typeof entry.name === 'string' ? entry.name : `#${index + 1}`
    const before = byName.get(name)
    if (before !== undefined) mistakes.push(mistake(`upstreams[${name}]`, 'in the list once', 'it again'))
    // Merged, so that mistakes in either are still found.
    byName.set(name, isTree(before) && isTree(entry) ? mergeTrees(before, entry) : entry)
  })
  return { tree: { ...others, upstreams: Object.fromEntries(byName) }, mistakes }
}

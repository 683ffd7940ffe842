import { z } from 'zod'
import { defaultOf, factsOf, written, type OptionFacts } from './option.ts'
import { configSchema } from './options.ts'

/** Where an option stands: keys, and in `upstreams` the upstream's name, which is `*` in the table. */
export type Path = readonly (string | number)[]

/** An option as a row: of the README's table, and of what the environment may set. */
export interface Option extends OptionFacts {
  path: readonly string[]
  key: string
  env: string
  default: unknown
  schema: z.core.$ZodType
}

export const anyUpstream = '*'

/** All options in the order of their declaration. */
export const optionTable: readonly Option[] = [...optionsBelow(configSchema, [])]

function* optionsBelow(schema: z.core.$ZodType, path: readonly string[]): Generator<Option> {
  const facts = factsOf(schema)
  if (facts) {
    yield { ...facts, path, key: keyOf(path), env: environmentName(path), default: defaultOf(schema), schema }
    return
  }
  const inner = written(schema)
  if (inner instanceof z.ZodArray) yield* optionsBelow(inner.element, [...path, anyUpstream])
  else if (inner instanceof z.ZodObject) {
    for (const [key, child] of Object.entries<z.ZodType>(inner.shape)) yield* optionsBelow(child, [...path, key])
  }
}

/** `storage.maxSize`, `upstreams[docker.io].rules[0].match`; `upstreams[].url` for an upstream in general. */
export function keyOf(path: Path): string {
  return path.reduce<string>((key, part, index) => {
    if (part === anyUpstream) return `${key}[]`
    if (typeof part === 'number' || (index === 1 && path[0] === 'upstreams')) return `${key}[${part}]`
    return key === '' ? part : `${key}.${part}`
  }, '')
}

/** `BERTH_STORAGE_MAX_SIZE`, `BERTH_UPSTREAMS_<NAME>_URL`. */
export function environmentName(path: readonly string[]): string {
  const words = path.map((part) => (part === anyUpstream ? '<NAME>' : part.replace(/[A-Z]/g, '_$&').toUpperCase()))
  return ['BERTH', ...words].join('_')
}

/** The key of the file that holds a secret: `password` may be given as `passwordFile` instead. */
export function fileTwin(secretKey: string): string {
  return `${secretKey}File`
}

/** Whether a value at this path is a secret, or holds or may hold one. */
export function touchesSecret(path: Path): boolean {
  const general = path.map((part, index) => (index === 1 && path[0] === 'upstreams' ? anyUpstream : part))
  return optionTable.some(
    (option) => option.secret && option.path.slice(0, general.length).every((part, index) => part === general[index]),
  )
}

/** The keys that may stand in the group at this path, as written in the file. */
export function keysAt(path: Path): string[] {
  const schema = path.reduce<z.core.$ZodType | undefined>((outer, part) => {
    const inner = outer && written(outer)
    if (inner instanceof z.ZodArray) return inner.element
    return inner instanceof z.ZodObject ? (inner.shape as Record<string, z.ZodType>)[part] : undefined
  }, configSchema)
  const inner = schema && written(schema)
  if (!(inner instanceof z.ZodObject)) return []
  const entries = Object.entries<z.ZodType>(inner.shape)
  return entries.flatMap(([key, child]) => (factsOf(child)?.secret ? [key, fileTwin(key)] : [key]))
}

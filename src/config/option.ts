import { z } from 'zod'

/** What an option is besides its check and its default. */
export interface OptionFacts {
  /** One line for the README's table, the JSON schema and people. */
  help: string
  /** Never shown: not in `berth config`, not in a mistake. A twin key `<key>File` names a file that holds it. */
  secret?: boolean
  /** The value names a file that must be readable when Berth starts. */
  file?: boolean
}

const facts = z.registry<OptionFacts>()

/** Declares an option. Its key is where it stands in the table; its environment variable follows from the key. */
export function option<T extends z.ZodType>(check: T, help: string, more: Omit<OptionFacts, 'help'> = {}): T {
  facts.add(check, { help, ...more })
  return check
}

/** The facts of a declared option; undefined for a group of options. */
export function factsOf(schema: z.core.$ZodType): OptionFacts | undefined {
  return facts.get(schema)
}

/** A group of options. A key that is not among them is a mistake. */
export function group<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape, { error: 'a group of keys' })
}

/** A group that may be left out, when every key takes its default. */
export function defaultGroup<T extends z.ZodRawShape>(shape: T) {
  return group(shape).prefault({} as never)
}

/** The schema under defaults, optionality and codecs: what is written in the file. */
export function written(schema: z.core.$ZodType): z.core.$ZodType {
  const def = schema._zod.def as { type: string; innerType?: z.core.$ZodType; in?: z.core.$ZodType }
  if (def.innerType) return written(def.innerType)
  if (def.type === 'pipe' && def.in) return written(def.in)
  return schema
}

/** The default as it would be written in the file; undefined when there is none. */
export function defaultOf(schema: z.core.$ZodType): unknown {
  const def = schema._zod.def as { type: string; defaultValue?: unknown }
  return def.type === 'prefault' ? def.defaultValue : undefined
}

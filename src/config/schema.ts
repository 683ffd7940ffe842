import { z } from 'zod'
import { factsOf } from './option.ts'
import { configSchema } from './options.ts'
import { fileTwin } from './table.ts'

type Json = Record<string, unknown>

/** The JSON schema of the YAML file, for editors. */
export function configJsonSchema(): Json {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      const facts = factsOf(zodSchema)
      if (facts) jsonSchema.description = facts.help
      if (zodSchema instanceof z.ZodObject) completeGroup(zodSchema, jsonSchema)
      // That a group may be left out is not a default worth an editor's notice.
      if (isEmptyGroup(jsonSchema.default)) delete jsonSchema.default
    },
  })
  return { ...schema, title: 'Settings of Berth' }
}

/** Adds the file twins of secrets; and asks for no key but a name, as the rest may come from the environment. */
function completeGroup(group: z.ZodObject, json: z.core.JSONSchema.BaseSchema): void {
  for (const [key, child] of Object.entries<z.ZodType>(group.shape)) {
    const facts = factsOf(child)
    if (!facts?.secret || !json.properties) continue
    json.properties[fileTwin(key)] = { type: 'string', description: `file that holds the ${key}` }
  }
  const needed = json.required?.filter((key) => key === 'name') ?? []
  if (needed.length > 0) json.required = needed
  else delete json.required
}

function isEmptyGroup(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
}

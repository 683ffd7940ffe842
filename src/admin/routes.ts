import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { HttpBindings } from '@hono/node-server'
import { z } from 'zod'
import { RegistryError } from '../oci/errors.ts'
import { apiPrefix, takesJson, type Operation } from './operation.ts'
import type { AdminContext } from './request.ts'
import type { Visitor } from './visitor.ts'

export type OpenApiDocument = ReturnType<Routes['document']>

/** What is sent here is small, in bytes; who sends it is not known before it is read. */
const smallBody = 64 * 1024

type Handler<I extends z.ZodObject, O extends z.ZodType> = (visitor: Visitor, input: z.output<I>) => Promise<z.input<O>>

/** The operations as routes, and the OpenAPI document of them. */
export class Routes {
  readonly app = new Hono<{ Bindings: HttpBindings }>()
  readonly #visitorOf: (c: AdminContext) => Promise<Visitor>
  readonly #all: Operation[] = []

  constructor(visitorOf: (c: AdminContext) => Promise<Visitor>) {
    this.#visitorOf = visitorOf
  }

  add<I extends z.ZodObject, O extends z.ZodType>(operation: Operation<I, O>, handle: Handler<I, O>): void {
    this.#all.push(operation)
    const { largestBody: maxSize = smallBody } = operation
    const limit = bodyLimit({ maxSize, onError: (c) => tooLarge(c, maxSize) })
    this.app.on(operation.method.toUpperCase(), apiPrefix + operation.path, limit, async (c) => {
      c.header('Cache-Control', 'private, no-store')
      try {
        const visitor = await this.#visitorOf(c)
        return c.json(await handle(visitor, await read(c, operation)))
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error
        return refusal(c, error)
      }
    })
  }

  /** OpenAPI 3.1 of all that was added so far. */
  document(info: { title: string; version: string; description: string }) {
    const schemas: Record<string, unknown> = {}
    const paths: Record<string, Record<string, unknown>> = {}
    for (const operation of this.#all) {
      const methods = (paths[apiPrefix + operation.path] ??= {})
      methods[operation.method] = describe(operation, schemas)
    }
    return { openapi: '3.1.0', info, paths, components: { schemas } }
  }
}

function tooLarge(c: Context, most: number): Response {
  return refusal(c, new RegistryError('SIZE_INVALID', `the body must have at most ${most} bytes`))
}

function refusal(c: Context, { code, message, status, headers }: RegistryError): Response {
  return c.json({ errors: [{ code, message }] }, status as ContentfulStatusCode, headers)
}

/** Throws UNSUPPORTED, with 415 for what is no JSON and 400 for what is not of the operation's form. */
async function read<I extends z.ZodObject>(c: AdminContext, operation: Operation<I>): Promise<z.output<I>> {
  const given: unknown = takesJson(operation) ? await readJson(c) : c.req.query()
  const read = operation.input.safeParse(given)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new RegistryError('UNSUPPORTED', `${issue?.path.join('.') || 'the request'}: ${issue?.message}`, {
    status: 400,
  })
}

async function readJson(c: AdminContext): Promise<unknown> {
  if (!/^application\/json\s*(?:;|$)/i.test(c.req.header('content-type') ?? '')) {
    throw new RegistryError('UNSUPPORTED', 'the body must be JSON, with Content-Type: application/json', {
      status: 415,
    })
  }
  try {
    return await c.req.json()
  } catch (cause) {
    throw new RegistryError('UNSUPPORTED', 'the body must be well-formed JSON', { status: 400, cause })
  }
}

const problem = z
  .object({ errors: z.array(z.object({ code: z.string(), message: z.string() })) })
  .meta({ id: 'Problem' })

function describe(operation: Operation, schemas: Record<string, unknown>) {
  const { summary, input, answer } = operation
  const json = (schema: z.ZodType, io: 'input' | 'output') => ({
    'application/json': { schema: jsonSchema(schema, io, schemas) },
  })
  return {
    summary,
    ...(takesJson(operation)
      ? { requestBody: { required: true, content: json(input, 'input') } }
      : { parameters: parametersOf(input, schemas) }),
    responses: {
      200: { description: 'done', content: json(answer, 'output') },
      '4XX': { description: 'refused, not here, or not of the form', content: json(problem, 'output') },
    },
  }
}

function parametersOf(input: z.ZodObject, schemas: Record<string, unknown>) {
  return Object.entries(input.shape as Record<string, z.ZodType>).map(([name, schema]) => ({
    name,
    in: 'query',
    required: !schema.safeParse(undefined).success,
    schema: jsonSchema(schema, 'input', schemas),
  }))
}

/** The schema in place; those that have names of their own go to `schemas`, to be referred to. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output', schemas: Record<string, unknown>): unknown {
  const text = JSON.stringify(z.toJSONSchema(z.object({ schema }), { io, unrepresentable: 'any' }))
  const moved = JSON.parse(text.replaceAll('#/$defs/', '#/components/schemas/')) as {
    $defs?: Record<string, unknown>
    properties: { schema: unknown }
  }
  Object.assign(schemas, moved.$defs)
  return moved.properties.schema
}

import { z } from 'zod'
import { parse as parseYaml } from 'yaml'
import { withValue, type Layer } from './layers.ts'
import { mistake, quoted } from './mistakes.ts'
import { nearest } from './nearest.ts'
import { written } from './option.ts'
import { anyUpstream, environmentName, fileTwin, keyOf, optionTable, type Option } from './table.ts'

type Settable = Pick<Option, 'path' | 'env' | 'schema'>

const upstreamPrefix = 'BERTH_UPSTREAMS_'

/** What the environment may set: every option, and for a secret the file that holds it. */
const settable: readonly Settable[] = optionTable.flatMap((option) => {
  if (!option.secret) return [option]
  const twin = [...option.path.slice(0, -1), fileTwin(option.path.at(-1) ?? '')]
  return [option, { path: twin, env: environmentName(twin), schema: z.string() }]
})

/** What commands read that talk to a server elsewhere: no settings of this one. */
const ofCommands = ['BERTH_SERVER', 'BERTH_TOKEN', 'BERTH_TOKEN_FILE']

/** The settings of BERTH_* variables. A variable that is set but empty counts as not set. */
export function readEnvironment(env: NodeJS.ProcessEnv, upstreams: readonly string[]): Layer & { mistakes: string[] } {
  const layer: Layer & { mistakes: string[] } = { tree: {}, origins: new Map(), mistakes: [] }
  const variables = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      /^BERTH_/.test(entry[0]) && !!entry[1] && !ofCommands.includes(entry[0]) && !isServiceLink(entry[0], entry[1]),
  )
  const names = upstreamsByVariable(variables, upstreams)
  for (const [variable, value] of variables) {
    const found = find(variable, names)
    if (!found) {
      layer.mistakes.push(unknownVariable(variable))
      continue
    }
    layer.origins.set(keyOf(found.path), variable)
    layer.tree = withValue(layer.tree, found.path, fromText(found.schema, value))
    // An upstream that only the environment knows needs its name in the tree as well.
    if (found.path[0] === 'upstreams' && found.path[1] !== undefined) {
      layer.tree = withValue(layer.tree, ['upstreams', found.path[1], 'name'], found.path[1])
    }
  }
  return layer
}

/** How an upstream's name stands in a variable: docker.io is DOCKER_IO. */
export function variableWord(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, '_')
}

/** Upstreams by the word they have in variables; BERTH_UPSTREAMS_X_NAME makes a new one known as X. */
function upstreamsByVariable(variables: [string, string][], known: readonly string[]): Map<string, string> {
  const names = new Map(known.map((name) => [variableWord(name), name]))
  for (const [variable, value] of variables) {
    const word = /^BERTH_UPSTREAMS_(.+)_NAME$/.exec(variable)?.[1]
    if (word !== undefined) names.set(word, value)
  }
  return names
}

function find(
  variable: string,
  names: ReadonlyMap<string, string>,
): { path: string[]; schema: z.core.$ZodType } | undefined {
  for (const { path, env, schema } of settable) {
    const [before = '', after] = env.split('<NAME>')
    if (after === undefined) {
      if (variable === env) return { path: [...path], schema }
      continue
    }
    if (!variable.startsWith(before) || !variable.endsWith(after)) continue
    const name = names.get(variable.slice(before.length, -after.length))
    if (name !== undefined) return { path: path.map((part) => (part === anyUpstream ? name : part)), schema }
  }
  return undefined
}

/** A variable's text as the value the file would have held; where it cannot be, the text, for the check to refuse. */
function fromText(schema: z.core.$ZodType, text: string): unknown {
  const inner = written(schema)
  if (inner instanceof z.ZodBoolean) return text === 'true' ? true : text === 'false' ? false : text
  if (inner instanceof z.ZodNumber) return /^\d+$/.test(text) ? Number(text) : text
  if (!(inner instanceof z.ZodArray)) return text
  if (written(inner.element) instanceof z.ZodObject) return listFromYaml(text)
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function listFromYaml(text: string): unknown {
  try {
    return parseYaml(text) as unknown
  } catch {
    return text
  }
}

function unknownVariable(variable: string): string {
  const meant = nearest(
    variable,
    settable.map((option) => option.env),
  )
  if (meant) return mistake(variable, `the variable of an option (${meant}?)`, 'an unknown one')
  if (!variable.startsWith(upstreamPrefix)) return mistake(variable, 'the variable of an option', 'an unknown one')
  const word = quoted(variable.slice(upstreamPrefix.length))
  return mistake(
    variable,
    `${upstreamPrefix}<NAME>_<KEY> of an upstream (a new one needs its _NAME and _URL as well)`,
    word,
  )
}

/**
 * Kubernetes puts BERTH_SERVICE_HOST, BERTH_PORT and the like into the containers beside a Service called berth.
 * https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
function isServiceLink(variable: string, value: string): boolean {
  if (/_SERVICE_(HOST|PORT(_\w+)?)$/.test(variable)) return true
  if (/_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(variable)) return true
  return variable.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value)
}

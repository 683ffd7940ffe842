import { Cron } from 'croner'
import { z } from 'zod'
import { listOf, oneOf, text, wholeNumber } from './checks.ts'
import { group, option } from './option.ts'
import { platformPatterns } from './platforms.ts'

/** A repository, in whose tag stars and braces may stand for others. */
const referenceForm =
  /^(?:[a-z0-9._:/-]|\{[a-z0-9._:/,-]+\})+(?::(?:[\w.*-]|\{[\w.*,-]+\})+)?(?:@sha256:[0-9a-f]{64})?$/

const list = group({
  name: text('a name for the command line, logs and metrics', /^[\w.-]+$/),
  references: listOf(
    text('an image such as docker.io/library/node:22, or a pattern of its tags such as node:{20,22}-*', referenceForm),
    'references',
  ).min(1, { error: 'a list of references' }),
  limit: wholeNumber(1, 1_000).prefault(10),
  order: oneOf('version', 'pulls').prefault('version'),
  platforms: platformPatterns(),
  schedule: text('a time as cron has it, such as 0 4 * * * or @daily', hasNext).exactOptional(),
})

export const warm = option(
  listOf(list, '{ name, references, limit, order, platforms, schedule }').superRefine(checkNames).prefault([]),
  'what is always to be here: { name, references: [images, or patterns of their tags], limit: most tags of a pattern, order: version or pulls (which of them), platforms, schedule: as cron has it, in UTC }',
)

function hasNext(schedule: string): boolean {
  try {
    return new Cron(schedule, { mode: '5-part', timezone: 'UTC', paused: true }).nextRun() !== null
  } catch {
    return false
  }
}

/** A run is known by the list's name. */
function checkNames(lists: { name: string }[], context: z.RefinementCtx): void {
  lists.forEach(({ name }, index) => {
    if (lists.findIndex((other) => other.name === name) === index) return
    const params = { saw: `${JSON.stringify(name)} again` }
    context.addIssue({ code: 'custom', path: [index, 'name'], message: 'a name that no other warm list has', params })
  })
}

/** Hosts that references name must be upstreams here; what is wrong with these, or with the lists, is told elsewhere. */
export function checkWarmUpstreams(config: unknown, context: z.RefinementCtx): void {
  const { warm = [], upstreams } = config as { warm?: { references?: unknown }[]; upstreams: unknown }
  if (!Array.isArray(upstreams) || !Array.isArray(warm)) return
  const names = new Set(
    (upstreams as { name?: string; aliases?: string[]; enabled?: boolean }[])
      .filter((upstream) => upstream?.enabled !== false)
      .flatMap((upstream) => [upstream?.name, ...(Array.isArray(upstream?.aliases) ? upstream.aliases : [])]),
  )
  warm.forEach((list, index) => {
    const references: unknown[] = Array.isArray(list?.references) ? list.references : []
    references.forEach((reference, at) => {
      const host = typeof reference === 'string' ? /^([^/{}]*[.:][^/{}]*)\//.exec(reference)?.[1] : undefined
      if (host === undefined || names.has(host)) return
      const path = ['warm', index, 'references', at]
      context.addIssue({ code: 'custom', path, message: 'an image of an upstream that is configured' })
    })
  })
}

import type { z } from 'zod'
import { httpUrl, listOf, oneOf, text } from './checks.ts'
import { group, option } from './option.ts'
import { secretFile } from './secret-file.ts'

const hook = group({
  name: text('a name for logs and metrics', /^[\w.-]+$/),
  url: httpUrl('an http:// or https:// URL without user, query or fragment', true),
  secretFile: secretFile(),
  events: listOf(
    oneOf('tag.moved', 'tag.pushed', 'tag.deleted', 'fill.failed', 'budget.reserved'),
    'tag.moved, tag.pushed, tag.deleted, fill.failed, budget.reserved',
  ).prefault([]),
  match: listOf(text('a pattern such as docker.io/library/*, team/** or docker.io'), 'patterns').prefault(['**']),
})

export const webhooks = option(
  listOf(hook, '{ name, url, secretFile, events, match }').superRefine(checkNames).prefault([]),
  'whom to tell what happens: { name, url, secretFile, events: [tag.moved, tag.pushed, tag.deleted, fill.failed, budget.reserved], match: [patterns of REPOSITORY, or an upstream] }',
)

/** What waits is kept by the name: two of one name would take each other's. */
function checkNames(hooks: { name: string }[], context: z.RefinementCtx): void {
  hooks.forEach(({ name }, index) => {
    if (hooks.findIndex((other) => other.name === name) === index) return
    const params = { saw: `${JSON.stringify(name)} again` }
    context.addIssue({ code: 'custom', path: [index, 'name'], message: 'a name that no other webhook has', params })
  })
}

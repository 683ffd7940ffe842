import type { z } from 'zod'
import { text } from './checks.ts'
import { readText } from './file.ts'

/** A file that holds a secret, for groups in lists, where secrets cannot stand themselves. Whoever needs it reads it. */
export function secretFile() {
  return text('a file that holds the secret').superRefine(checkSecret)
}

function checkSecret(file: string, context: z.RefinementCtx): void {
  const content = readText(file)
  if ('text' in content && content.text.trim() !== '') return
  const saw = 'problem' in content ? content.problem : 'an empty one'
  context.addIssue({ code: 'custom', message: 'a file that holds the secret', params: { saw } })
}

import { listOf, text } from './checks.ts'

const form = /^[a-z0-9*._-]+(?:\/[a-z0-9*._-]+){0,2}$/

/** Patterns of OS/ARCHITECTURE. */
export function platformPatterns() {
  return listOf(text('a pattern such as linux/amd64 or windows/*', form), 'patterns').prefault([])
}

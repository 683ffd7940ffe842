import { touchesSecret, type Path } from './table.ts'

/** All that is wrong with the settings, a line each: `key: must be ..., saw ...`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    super(mistakes.join('\n'))
    this.mistakes = mistakes
  }
}

export function mistake(key: string, must: string, saw: string): string {
  return `${key}: must be ${must}, saw ${saw}`
}

/** A value as a mistake shows it: its kind alone where it is, or could hold, a secret. */
export function shown(path: Path, value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'a group of keys'
  if (touchesSecret(path)) return typeof value === 'string' ? 'a text' : `a ${typeof value}`
  return typeof value === 'string' ? quoted(value) : JSON.stringify(value)
}

/** A text in quotes, cut to a line's length and without the user and password of a URL. */
export function quoted(text: string): string {
  const open = text.replace(/\/\/[^/]*@/g, '//(hidden)@')
  return JSON.stringify(open.length > 100 ? `${open.slice(0, 99)}…` : open)
}

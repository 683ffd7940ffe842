import { namePattern } from '../oci/pattern.ts'

/** What a client asks a token for: https://distribution.github.io/distribution/spec/auth/scope/ */
export interface Scope {
  readonly type: string
  /** The repository as the client addresses it, or `catalog`. */
  readonly name: string
  readonly actions: readonly string[]
}

/** No client needs more for one request; more are left out. */
const most = 32

/** Reads `repository:NAME:ACTION,ACTION`, several with spaces between them. NAME may hold colons. What is no scope is left out. */
export function parseScopes(text: string): Scope[] {
  const scopes = text.split(' ').flatMap((part): Scope[] => {
    const [, type, name, actions] = /^([a-z0-9]+)(?:\([a-z0-9]+\))?:(.+):([a-z*,]*)$/.exec(part) ?? []
    if (type === undefined || name === undefined || actions === undefined) return []
    return [{ type, name, actions: [...new Set(actions.split(',').filter((action) => action !== ''))] }]
  })
  return scopes.slice(0, most)
}

export function formatScopes(scopes: readonly Scope[]): string {
  return scopes.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' ')
}

/** Whether scopes include an action; `*` stands for all of them. */
export function covers(scopes: readonly Scope[], type: string, name: string, action: string): boolean {
  return scopes.some(
    (scope) =>
      scope.type === type && scope.name === name && (scope.actions.includes(action) || scope.actions.includes('*')),
  )
}

/** What a robot's token is limited to: `PATTERN:ACTION,ACTION`, where the names are those of this registry. */
export interface Limit {
  readonly fits: (name: string) => boolean
  readonly actions: readonly string[]
}

/** A robot's scope that is no limit: with it a token is as good as the password of its owner, an admin. */
export const adminScope = 'admin'

const limitActions = ['pull', 'push', 'delete']

/** Undefined for what is none. */
export function parseLimit(text: string): Limit | undefined {
  const [, pattern, list = ''] = /^([a-z0-9._*/-]{1,255}):([a-z,]{1,50})$/.exec(text) ?? []
  const actions = list.split(',')
  if (pattern === undefined || !actions.every((action) => limitActions.includes(action))) return undefined
  return { fits: namePattern(pattern), actions }
}

export function permits(limits: readonly Limit[], name: string, action: string): boolean {
  return limits.some((limit) => limit.actions.includes(action) && limit.fits(name))
}

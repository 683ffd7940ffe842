import type { Call } from './call.ts'

/**
 * What a 401 tells a client: where it gets a token, and for what.
 * https://distribution.github.io/distribution/spec/auth/token/
 */
export function challengeFor(call: Call): string {
  if (call.route === 'token') return 'Basic realm="Berth", charset="UTF-8"'
  // A mirror's clients leave out which registry is meant when they ask for a token: the realm brings it back.
  const ns = call.ns ?? call.at?.prefix
  const realm = `${call.baseUrl}/token${ns ? `?ns=${encodeURIComponent(ns)}` : ''}`
  const parameters = [`realm="${realm}"`, `service="${new URL(call.baseUrl).host}"`]
  const scope = scopeOf(call)
  if (scope !== undefined) parameters.push(`scope="${scope}"`)
  if (/^bearer /i.test(call.incoming.headers.authorization ?? '')) {
    parameters.push(`error="${call.identity?.wrong ? 'invalid_token' : 'insufficient_scope'}"`)
  }
  return `Bearer ${parameters.join(',')}`
}

const actions = { pull: 'pull', push: 'pull,push', delete: 'pull,delete' }

/** By the name as the client wrote it, for that is what it will ask for. */
function scopeOf({ route, at, action }: Call): string | undefined {
  if (route === 'catalog') return 'registry:catalog:*'
  // Names are read by no rule yet where access is refused at the door.
  if (!at || !/^[\w./-]+$/.test(at.path)) return undefined
  return `repository:${at.path}:${actions[action]}`
}

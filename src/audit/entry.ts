import type { AuditEntry } from '../metadata/metadata.ts'
import type { Event } from '../telemetry/telemetry.ts'

/** What is noted of an event; undefined for most. Pulls are fetches of manifests: a HEAD only asks what a tag means. */
export function entryOf(event: Event, at: number): AuditEntry | undefined {
  const entry = (action: string, facts: Partial<AuditEntry>): AuditEntry => {
    return { at, action, user: undefined, address: undefined, name: undefined, detail: undefined, count: 1, ...facts }
  }
  switch (event.type) {
    case 'request': {
      const action = actionOf(event)
      if (action === undefined) return undefined
      const { user, client: address, name, path } = event
      return entry(action, { user, address, name, detail: path.slice(path.lastIndexOf('/') + 1) })
    }
    case 'login-succeeded':
      return entry('login', { user: event.user, address: event.address, detail: withSubject(event.by, event) })
    case 'login-refused':
      return entry('login refused', {
        user: event.user,
        address: event.address,
        detail: withSubject(event.by === undefined ? event.why : `${event.by}: ${event.why}`, event),
      })
    case 'token-created': {
      const { user, token, scopes, by, address } = event
      return entry('token created', { user: by, address, name: user, detail: `${token} ${scopes.join(' ')}` })
    }
    case 'token-revoked':
      return entry('token revoked', { user: event.by, address: event.address, name: event.user, detail: event.token })
    case 'user-changed':
      return entry('account changed', {
        user: event.by,
        address: event.address,
        name: event.user,
        detail: event.change,
      })
    case 'administered': {
      const { action, user, address, name, detail } = event
      return entry(action, { user, address, name, detail })
    }
    case 'tag-retired':
      // Nobody's doing, but the settings'.
      return entry('delete', {
        user: 'hosted.retention',
        name: event.repository,
        detail: `${event.tag}: ${event.reason}`,
      })
    default:
      return undefined
  }
}

function withSubject(text: string, { subject }: { subject?: string }): string {
  return subject === undefined ? text : `${text} ${subject}`
}

type RequestEvent = Extract<Event, { type: 'request' }>

function actionOf({ method, route, status }: RequestEvent): 'pull' | 'push' | 'delete' | undefined {
  if (status >= 300) return undefined
  if (route === 'manifest') {
    if (method === 'GET') return 'pull'
    if (method === 'PUT') return 'push'
  }
  return method === 'DELETE' && (route === 'manifest' || route === 'blob') ? 'delete' : undefined
}

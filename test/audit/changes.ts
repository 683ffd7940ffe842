import { descriptor, imageOf, lengthOf, ociManifest, sha256, type Pusher } from '../helpers/push.ts'

export type Method = 'POST' | 'PUT' | 'DELETE'

// Everything that changes something, by each way there is to do it, and what the audit log says of it then.

export interface Change {
  /** A page and the form on it. */
  readonly pages?: readonly [path: string, form: Record<string, string>]
  readonly api?: readonly [method: Method, path: string, given: Record<string, unknown>]
  readonly command?: readonly string[]
  /** For a command that asks for one. */
  readonly password?: string
  readonly registry?: (pusher: Pusher) => Promise<unknown>
  readonly entry: { readonly action: string; readonly name?: string; readonly detail?: string | RegExp }
  /** Else it is whoever uses that way. */
  readonly user?: string
}

export interface World {
  /** The admin API, as an admin; what it answers. */
  readonly call: (method: Method | 'GET', path: string, given: Record<string, unknown>) => Promise<unknown>
  readonly pusher: Pusher
  /** The name of a user who logs in with `password`. */
  readonly person: string
  readonly password: string
}

/** `n` is a word that each way of each change has to itself. What must be there before is made by the change. */
export type MakeChange = (n: string, world: World) => Change | Promise<Change>

const node = 'docker.io/library/node'
const tagPage = (tag: string) => `/r/team/app/t/${tag}`
const nodePage = `/r/${node}/t/20`
const words = (line: string) => line.split(' ')

async function pushed(tag: string, { pusher }: World): Promise<string> {
  await pusher.image(tag, 'layer')
  return tag
}

async function user(name: string, { call, password }: World): Promise<string> {
  await call('POST', '/users', { name, password })
  return name
}

const accounts: Record<string, MakeChange> = {
  'adding a user': (n, { password }) => ({
    pages: ['/accounts', { action: 'user', name: n, password }],
    api: ['POST', '/users', { name: n, password }],
    command: words(`user add ${n}`),
    password,
    entry: { action: 'account changed', name: n, detail: 'added' },
  }),
  'a new password for a user': async (n, world) => ({
    pages: [`/accounts/${await user(n, world)}`, { action: 'password', password: 'another password' }],
    api: ['POST', '/users/password', { name: n, password: 'another password' }],
    command: words(`user password ${n}`),
    password: 'another password',
    entry: { action: 'account changed', name: n, detail: 'password changed' },
  }),
  'adding an organization': (n) => ({
    pages: ['/accounts', { action: 'organization', name: n }],
    api: ['POST', '/organizations', { name: n }],
    command: words(`org add ${n}`),
    entry: { action: 'account changed', name: n, detail: 'added, an organization' },
  }),
  'a membership': async (n, world) => {
    await world.call('POST', '/organizations', { name: n })
    return {
      pages: [`/accounts/${n}`, { action: 'member', user: world.person, role: 'writer' }],
      api: ['POST', '/members', { organization: n, user: world.person, role: 'writer' }],
      command: words(`org member ${n} ${world.person} writer`),
      entry: { action: 'account changed', name: world.person, detail: `writer in ${n}` },
    }
  },
  'a grant': async (n, world) => ({
    pages: [`/accounts/${await user(n, world)}`, { action: 'grant', name: 'team/app', role: 'reader' }],
    api: ['POST', '/grants', { name: 'team/app', account: n, role: 'reader' }],
    command: words(`repo grant team/app ${n} reader`),
    entry: { action: 'account changed', name: n, detail: 'reader of team/app' },
  }),
  'removing an account': async (n, world) => ({
    pages: [`/accounts/${await user(n, world)}`, { action: 'remove' }],
    api: ['DELETE', '/account', { name: n }],
    command: words(`user remove ${n}`),
    entry: { action: 'account changed', name: n, detail: 'removed' },
  }),
  'making public': async (n, world) => ({
    pages: [`/r/team/app?${await pushed(n, world)}`, { action: 'public' }],
    api: ['POST', '/visibility', { name: 'team/app', public: true }],
    command: words('repo public team/app'),
    entry: { action: 'account changed', name: 'team/app', detail: 'public' },
  }),
  'a login elsewhere': async (n, world) => ({
    pages: [`/accounts/${await user(n, world)}`, { action: 'link', provider: 'corp', subject: n }],
    api: ['POST', '/links', { user: n, provider: 'corp', subject: n }],
    command: words(`user link ${n} --oidc corp ${n}`),
    entry: { action: 'account changed', name: n, detail: `linked to ${n} of corp` },
  }),
  'a login elsewhere no more': async (n, world) => {
    await world.call('POST', '/links', { user: await user(n, world), provider: 'corp', subject: n })
    return {
      pages: [`/accounts/${n}`, { action: 'unlink', provider: 'corp', subject: n }],
      api: ['DELETE', '/links', { user: n, provider: 'corp', subject: n }],
      command: words(`user unlink ${n} --oidc corp ${n}`),
      entry: { action: 'account changed', name: n, detail: `no more linked to ${n} of corp` },
    }
  },
  'adding a namespace': (n) => ({
    api: ['POST', '/namespaces', { name: n }],
    command: words(`namespace add ${n}`),
    entry: { action: 'namespace added', name: n },
  }),
  'removing a namespace': async (n, { call }) => {
    await call('POST', '/namespaces', { name: n })
    return {
      api: ['DELETE', '/namespaces', { name: n }],
      command: words(`namespace remove ${n}`),
      entry: { action: 'namespace removed', name: n },
    }
  },
}

const tokens: Record<string, MakeChange> = {
  'creating a token': (n) => ({
    pages: ['/account', { action: 'create', owner: 'ada', name: n, pattern: `${n}/*`, actions: 'pull', days: '1' }],
    api: ['POST', '/tokens', { owner: 'ada', name: n, scopes: [`${n}/*:pull`] }],
    command: words(`token create ada --scope ${n}/*:pull`),
    entry: { action: 'token created', name: 'ada', detail: new RegExp(`^[0-9a-f]{10} ${n}/\\*:pull$`) },
  }),
  'revoking a token': async (n, { call }) => {
    const made = await call('POST', '/tokens', { owner: 'ada', name: n, scopes: ['**:pull'] })
    const { id } = (made as { record: { id: string } }).record
    return {
      pages: ['/account', { action: 'revoke', id }],
      api: ['DELETE', '/tokens', { id }],
      command: words(`token revoke ${id}`),
      entry: { action: 'token revoked', name: 'ada', detail: id },
    }
  },
}

const hosted: Record<string, MakeChange> = {
  tagging: async (n, world) => ({
    pages: [tagPage(await pushed('base', world)), { action: 'tag', tag: n }],
    api: ['POST', '/tag', { name: 'team/app', from: 'base', tag: n }],
    command: words(`repo tag team/app:base ${n}`),
    entry: { action: 'tag', name: 'team/app', detail: `base as ${n}` },
  }),
  'deleting a tag': async (n, world) => ({
    pages: [tagPage(await pushed(n, world)), { action: 'delete' }],
    api: ['DELETE', '/tag', { name: 'team/app', reference: n }],
    command: words(`repo delete team/app:${n}`),
    registry: (pusher) => pusher.send('DELETE', `manifests/${n}`),
    entry: { action: 'delete', name: 'team/app', detail: n },
  }),
  'pushing a tag': (n) => ({
    registry: async (pusher) => {
      await pusher.blob('{}')
      return pusher.manifest(n, imageOf('{}'))
    },
    entry: { action: 'push', name: 'team/app', detail: n },
  }),
  'pushing by digest': (n) => {
    const manifest = JSON.stringify({ ...imageOf('{}'), annotations: { n } })
    const { digest } = descriptor(manifest, ociManifest)
    return {
      registry: (pusher) => pusher.manifest(digest, manifest),
      entry: { action: 'push', name: 'team/app', detail: digest },
    }
  },
  'deleting a blob': async (n, { pusher }) => {
    await pusher.send('POST', `blobs/uploads/?digest=${sha256(n)}`, { body: n, headers: lengthOf(n) })
    return {
      registry: (pusher) => pusher.send('DELETE', `blobs/${sha256(n)}`),
      entry: { action: 'delete', name: 'team/app', detail: sha256(n) },
    }
  },
  'rolling a tag back': async (n, world) => {
    const { call, pusher } = world
    const digest = await pusher.image(await pushed(n, world), `another layer for ${n}`).then(async () => {
      const moments = (await call('GET', '/history', { name: 'team/app', tag: n })) as { digest: string }[]
      return moments.at(-1)!.digest
    })
    return {
      pages: [tagPage(n), { action: 'rollback', digest }],
      api: ['POST', '/rollback', { name: 'team/app', tag: n, digest }],
      entry: { action: 'roll back', name: 'team/app', detail: `${n} to ${digest}` },
    }
  },
  describing: async (n, { call }) => {
    const { version } = (await call('GET', '/description', { name: 'team/app' })) as { version: string }
    return {
      pages: ['/r/team/app', { action: 'describe', short: n, readme: '', version }],
      api: ['PUT', '/description', { name: 'team/app', short: n }],
      entry: { action: 'description changed', name: 'team/app' },
    }
  },
  collecting: () => ({
    pages: ['/cache/collection', { action: 'collect' }],
    api: ['POST', '/collect', {}],
    command: ['collect'],
    entry: { action: 'collect', detail: /^\d+ things$/ },
  }),
}

const cached: Record<string, MakeChange> = {
  'asking the upstream': () => ({
    pages: [nodePage, { action: 'check' }],
    api: ['POST', '/check', { name: node, tag: '20' }],
    entry: { action: 'check', name: node, detail: '20' },
  }),
  'fetching all of an image': () => ({
    pages: [nodePage, { action: 'fetch', platform: '' }],
    api: ['POST', '/fetch', { name: node, reference: '20' }],
    entry: { action: 'fetch', name: node, detail: /^sha256:/ },
  }),
  'evicting an image': () => ({
    pages: [nodePage, { action: 'evict' }],
    api: ['POST', '/evict', { name: node, reference: '20' }],
    command: words(`evict ${node}:20`),
    entry: { action: 'evict', name: node, detail: /^20, \d+ bytes$/ },
  }),
  'evicting a repository': () => ({
    api: ['POST', '/evict', { name: node }],
    command: words(`evict ${node}`),
    entry: { action: 'evict', name: node, detail: /^everything, \d+ bytes$/ },
  }),
  'evicting to the limits': () => ({
    pages: ['/cache', { action: 'evict' }],
    api: ['POST', '/cache/evict', {}],
    command: ['evict'],
    entry: { action: 'evict', detail: /^\d+ bytes$/ },
  }),
  'pinning a tag on its page': () => ({
    pages: [nodePage, { action: 'pin' }],
    entry: { action: 'pin', detail: `${node}:20` },
  }),
  pinning: (n) => ({
    pages: ['/cache', { action: 'pin', pattern: `${node}:${n}` }],
    api: ['POST', '/pins', { pattern: `${node}:${n}` }],
    command: words(`pin ${node}:${n}`),
    entry: { action: 'pin', detail: `${node}:${n}` },
  }),
  unpinning: async (n, { call }) => {
    const pattern = `${node}:${n}`
    await call('POST', '/pins', { pattern })
    return {
      pages: ['/cache', { action: 'unpin', pattern }],
      api: ['DELETE', '/pins', { pattern }],
      command: words(`unpin ${pattern}`),
      entry: { action: 'unpin', detail: pattern },
    }
  },
}

/** What a tag of the upstream means is looked up by the change: it must have been pulled. */
async function meaning({ call }: World): Promise<string> {
  const [moment] = (await call('GET', '/history', { name: node, tag: '20' })) as { digest: string }[]
  return moment!.digest
}

const others: Record<string, MakeChange> = {
  'pinning a tag to a digest': async (_, world) => {
    const digest = await meaning(world)
    return {
      pages: [nodePage, { action: 'pin-to', digest }],
      api: ['POST', '/tag-pins', { name: node, tag: '20', digest }],
      entry: { action: 'pin tag', name: node, detail: `20 to ${digest}` },
    }
  },
  'releasing a tag': async (_, world) => {
    await world.call('POST', '/tag-pins', { name: node, tag: '20', digest: await meaning(world) })
    return {
      pages: [nodePage, { action: 'release' }],
      api: ['DELETE', '/tag-pins', { name: node, tag: '20' }],
      entry: { action: 'release tag', name: node, detail: '20' },
    }
  },
  'fetching a warm list': () => ({
    pages: ['/warm', { action: 'list', list: 'base' }],
    api: ['POST', '/warm/fetch', { list: 'base' }],
    command: words('warm base'),
    entry: { action: 'fetch', detail: 'warm list base' },
  }),
  'fetching references': (n) => ({
    pages: ['/warm', { action: 'fetch', references: `${node}:${n}` }],
    api: ['POST', '/warm/fetch', { references: [`${node}:${n}`] }],
    entry: { action: 'fetch', detail: `${node}:${n}` },
  }),
  'stopping a run': async (n, { call }) => {
    const held = { references: [`${node}:held-${n}`] }
    const { id } = (await call('POST', '/warm/fetch', held)) as { id: number }
    return {
      pages: ['/warm', { action: 'stop', run: String(id) }],
      api: ['DELETE', '/warm/run', { id }],
      entry: { action: 'fetch stopped', detail: held.references[0]! },
    }
  },
  'testing a webhook': () => ({
    pages: ['/webhooks/ci', { action: 'test' }],
    api: ['POST', '/webhooks/test', { name: 'ci' }],
    entry: { action: 'webhook tested', detail: /^ci\b/ },
  }),
  'sending a webhook again': () => ({
    pages: ['/webhooks/ci', { action: 'send' }],
    api: ['POST', '/webhooks/send', { name: 'ci' }],
    entry: { action: 'webhook sent again', detail: /^ci\b/ },
  }),
}

/** Every change but those that somebody makes to the own login. */
export const changes: Record<string, MakeChange> = { ...accounts, ...tokens, ...hosted, ...cached, ...others }

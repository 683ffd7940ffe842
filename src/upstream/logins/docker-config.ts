import { readFile } from 'node:fs/promises'
import type { Credentials } from '../credentials.ts'
import { askHelper } from './credential-helper.ts'
import type { LoginContext } from './login.ts'
import type { Lent } from './renewed.ts'

interface DockerConfig {
  auths?: Record<
    string,
    { auth?: string; username?: string; password?: string; identitytoken?: string; registrytoken?: string }
  >
  credHelpers?: Record<string, string>
  credsStore?: string
}

/** Docker writes the file anew at each login: it is read again after this, in milliseconds. */
const trusted = 60_000

/** The login that a Docker config.json holds for the upstream, or the helper named there (docker login writes both). */
export function dockerConfigLogin(file: string, context: LoginContext): () => Promise<Lent> {
  const servers = serversOf(context)
  return async () => {
    const config = await read(file)
    return { credentials: await find(file, config, servers), until: context.now() + trusted }
  }
}

async function read(file: string): Promise<DockerConfig> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${file} cannot be read (${error.code ?? 'unknown error'})`)
  })
  try {
    return JSON.parse(text) as DockerConfig
  } catch {
    throw new Error(`${file} is no JSON`)
  }
}

/** The names under which Docker and others keep a registry's login. */
function serversOf({ upstream, url }: LoginContext): string[] {
  const hub = upstream === 'docker.io' ? ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io'] : []
  const path = url.pathname.replace(/\/$/, '')
  const here = path === '' ? [] : [`${url.host}${path}`]
  return [
    ...hub,
    ...here,
    url.host,
    upstream,
    `https://${url.host}`,
    `https://${url.host}/v1/`,
    `https://${url.host}/v2/`,
  ]
}

async function find(file: string, config: DockerConfig, servers: readonly string[]): Promise<Credentials> {
  const helper = servers.map((server) => config.credHelpers?.[server]).find((name) => name !== undefined)
  if (helper !== undefined) return askHelper(`docker-credential-${helper}`, servers)
  for (const server of servers) {
    const login = credentialsOf(config.auths?.[server])
    if (login) return login
  }
  if (config.credsStore !== undefined) return askHelper(`docker-credential-${config.credsStore}`, servers)
  throw new Error(`${file} has no login for ${servers[0]}`)
}

function credentialsOf(entry: NonNullable<DockerConfig['auths']>[string] | undefined): Credentials | undefined {
  if (!entry) return undefined
  if (entry.identitytoken) return { kind: 'identity', token: entry.identitytoken }
  if (entry.registrytoken) return { kind: 'bearer', token: entry.registrytoken }
  if (entry.auth) {
    const text = Buffer.from(entry.auth, 'base64').toString('utf8').replace(/\0+$/, '')
    const colon = text.indexOf(':')
    if (colon > 0) return { kind: 'password', username: text.slice(0, colon), password: text.slice(colon + 1) }
  }
  if (entry.username && entry.password) {
    return { kind: 'password', username: entry.username, password: entry.password }
  }
  return undefined
}

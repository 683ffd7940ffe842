import { spawn } from 'node:child_process'
import type { Credentials } from '../credentials.ts'
import type { LoginContext } from './login.ts'
import type { Lent } from './renewed.ts'

/** Helpers say nothing of how long what they give is good: they are asked again after this, in milliseconds. */
const trusted = 5 * 60_000
const deadline = 30_000

/** Asks `docker-credential-<name>` (https://github.com/docker/docker-credential-helpers), found in PATH, or a program by its path. */
export function helperLogin(name: string, { url, now }: LoginContext): () => Promise<Lent> {
  const program = name.includes('/') ? name : `docker-credential-${name}`
  return async () => ({ credentials: await askHelper(program, [url.host, url.origin]), until: now() + trusted })
}

/** The login under the first of these server names that the helper knows. */
export async function askHelper(program: string, servers: readonly string[]): Promise<Credentials> {
  let problem: Error | undefined
  for (const server of servers) {
    try {
      return readAnswer(program, await run(program, server))
    } catch (error) {
      problem ??= error as Error
    }
  }
  throw problem!
}

function readAnswer(program: string, output: string): Credentials {
  let given: { Username?: unknown; Secret?: unknown }
  try {
    given = JSON.parse(output) as typeof given
  } catch {
    // What it printed may hold a secret: it is not told.
    throw new Error(`${program} printed no JSON`)
  }
  const { Username: username, Secret: secret } = given
  if (typeof secret !== 'string' || secret === '') throw new Error(`${program} gave no secret`)
  if (username === '<token>') return { kind: 'identity', token: secret }
  return { kind: 'password', username: typeof username === 'string' ? username : '', password: secret }
}

function run(program: string, server: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], timeout: deadline })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.on('error', (error: NodeJS.ErrnoException) => {
      reject(new Error(`${program} cannot be run (${error.code ?? error.message})`))
    })
    child.on('close', (code) => {
      if (code === 0) resolve(output)
      else reject(new Error(`${program} has no login for ${server} (exit code ${code ?? 'none'})`))
    })
    // A program that is gone before it has read is told of by its exit.
    child.stdin.on('error', () => {})
    child.stdin.end(server)
  })
}

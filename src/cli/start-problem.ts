import { resolve } from 'node:path'
import type { Config } from '../config/config.ts'

/** What to tell the operator when the system refused an address or a file at start; undefined for anything else. */
export function startProblem(error: unknown, config: Config): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const { code, syscall, path } = error as NodeJS.ErrnoException
  if (syscall === 'listen' || syscall === 'getaddrinfo') return listenProblem(String(code), config)
  if (/^SQLITE_(?:CANTOPEN|READONLY|PERM)/.test(String(code))) {
    return `storage.data must be a folder whose database this user can write, saw ${code} for ${resolve(config.storage.data)}`
  }
  if (syscall === undefined) return undefined
  return `storage.data must be a folder that can be written, saw ${code} for ${path ?? resolve(config.storage.data)}`
}

function listenProblem(code: string, { listen: { host, port } }: Config): string {
  const problems: Record<string, string> = {
    EADDRINUSE: 'another process listens there. Stop it, or choose another port',
    EACCES: 'this user may not. Choose a port from 1024 on, or give the process CAP_NET_BIND_SERVICE',
    EADDRNOTAVAIL: 'this machine does not have that address. Choose 127.0.0.1 or 0.0.0.0',
    ENOTFOUND: 'that host name has no address',
  }
  return `cannot listen on ${host}:${port}: ${problems[code] ?? code} (listen, BERTH_LISTEN)`
}

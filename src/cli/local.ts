import { connect } from 'node:net'
import { userInfo } from 'node:os'
import path from 'node:path'
import { operatorHeader } from '../admin/operations.ts'
import type { Config } from '../config/config.ts'
import { operatorSocket } from '../operator-socket.ts'
import type { Way } from './api.ts'
import { jsonHeaders, sendPlain } from './http.ts'
import { CommandError } from './io.ts'
import { startProblem } from './start-problem.ts'

/** The admin API of a data folder, as the operator of this machine: by the server that runs on it, or in this process. */
export async function openLocal(config: Config, env: NodeJS.ProcessEnv): Promise<Way> {
  const socketPath = operatorSocket(config.storage.data)
  const headers = { [operatorHeader]: localUser(env) }
  if (socketPath !== undefined && (await answers(socketPath))) return overSocket(socketPath, headers)
  return inProcess(config, headers)
}

function overSocket(socketPath: string, headers: Record<string, string>): Way {
  const place = `the server on ${path.dirname(path.resolve(socketPath))}`
  return {
    place,
    isServer: true,
    loginHint: '',
    async send(request) {
      try {
        return await sendPlain({ socketPath, host: 'localhost' }, request, headers)
      } catch (cause) {
        throw new CommandError(
          `${place} broke off (${(cause as Error).message}): it may have been stopped, try again`,
          {
            cause,
          },
        )
      }
    },
    close: async () => {},
  }
}

async function inProcess(config: Config, headers: Record<string, string>): Promise<Way> {
  // Imported here, so that commands need not wait for the whole server to load while one runs.
  const { openInProcess } = await import('../operator.ts')
  try {
    const { app, close } = await openInProcess(config)
    return {
      place: `the data folder ${path.resolve(config.storage.data)}`,
      isServer: false,
      loginHint: '',
      async send({ method, path, body }) {
        const sent = { method, headers: { ...headers, ...jsonHeaders(body) }, ...(body !== undefined && { body }) }
        const response = await app.request(path, sent)
        return { status: response.status, text: await response.text() }
      },
      close,
    }
  } catch (error) {
    const problem = startProblem(error, config)
    throw problem === undefined ? error : new CommandError(problem, { cause: error })
  }
}

/** Whether a server listens there; what one left that was killed does not answer. */
function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EACCES' && cause.code !== 'EPERM') return resolve(false)
      const message = `this user may not command the server on ${path.dirname(path.resolve(socketPath))}`
      reject(new CommandError(`${message}: run the command as the user it runs as, or give --server URL`, { cause }))
    })
  })
}

/** Who sits at this machine, for the audit log; whoever used sudo stays who they are. */
function localUser(env: NodeJS.ProcessEnv): string {
  if (env.SUDO_USER) return env.SUDO_USER
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`
  }
}

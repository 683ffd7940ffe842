// Whoever may write to the data folder commands this registry: the operator, who needs no login. The command line speaks the
// admin API for it, over a socket in that folder while the server runs, and else in its own process.
import { rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { adminApi, operatorOf, type Admin, type AdminApp } from './admin/admin.ts'
import { closeServer } from './listen.ts'
import type { Config } from './config/config.ts'
import { operatorSocket } from './operator-socket.ts'
import { adminOf } from './people.ts'
import { openRooms } from './rooms.ts'
import type { Event } from './telemetry/telemetry.ts'
import { workingsOf } from './workings.ts'

export interface OperatorSocket {
  /** Takes no more connections at once; those that are busy after `grace` milliseconds are cut. */
  close(grace: number): Promise<void>
}

export interface OperatorSocketOptions {
  data: string
  admin: Admin
  report: (event: Event) => void
}

/** Undefined, and told, where the folder takes no socket: commands then work beside the server. */
export async function openOperatorSocket(options: OperatorSocketOptions): Promise<OperatorSocket | undefined> {
  const { data, admin, report } = options
  const file = operatorSocket(data)
  try {
    if (file === undefined) throw new Error('its path is too long for a socket')
    // One that is left of a process that was killed would be in the way.
    await rm(file, { force: true })
    const server = createAdaptorServer({ fetch: adminApi(admin, operatorOf).fetch, hostname: 'localhost' }) as Server
    await listenPrivately(server, file)
    return { close: (grace) => closeServer(server, grace) }
  } catch (error) {
    report({ type: 'no-operator-socket', message: (error as Error).message })
    return undefined
  }
}

/** Nobody else may connect, from the first moment on: the socket is made by this very call. */
function listenPrivately(server: Server, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const usual = process.umask(0o177)
    try {
      server.listen(file, resolve)
    } finally {
      process.umask(usual)
    }
  })
}

export interface OperatorInProcess {
  readonly app: AdminApp
  readonly close: () => Promise<void>
}

/** The same without a server: for the first account before the first start, and while it is down. */
export async function openInProcess(config: Config): Promise<OperatorInProcess> {
  const rooms = await openRooms(config, { now: Date.now, logLevel: 'silent' })
  try {
    // A server that could make no socket may run all the same: its files are its own.
    const workings = { ...workingsOf(rooms), collect: (dryRun: boolean) => rooms.hosted.collector.letGo(dryRun) }
    const app = adminApi(adminOf(rooms, workings), operatorOf)
    // There is no log to write to: whoever runs the command is to see what went wrong.
    app.onError((error) => {
      throw error
    })
    return { app, close: () => rooms.close() }
  } catch (error) {
    await rooms.close()
    throw error
  }
}

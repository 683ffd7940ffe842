import type { Config } from './config/config.ts'
import { Traffic } from './access/access.ts'
import { apiApp, createForwarded } from './api/app.ts'
import { healthApp } from './health.ts'
import { limited } from './limited.ts'
import { listen, type Fetch } from './listen.ts'
import { openOperatorSocket } from './operator.ts'
import { adminOf, peopleApp } from './people.ts'
import { connectOnly, openProxying } from './proxying.ts'
import { openRooms } from './rooms.ts'
import { openTls, type Certificates } from './tls/tls.ts'

export interface Server {
  readonly url: string
  /** Whether there is somebody who may change everything. */
  readonly hasAdmin: boolean
  /** Takes no more connections, lets running responses finish for `shutdownGrace`, keeps partial fills, closes everything. */
  stop(): Promise<void>
}

/**
 * Opens the rooms and listens. Rejects when the data folder, the database or the address cannot be had.
 * `now` is the time by which tags and tokens age.
 */
export async function startServer(config: Config, { now = Date.now } = {}): Promise<Server> {
  const rooms = await openRooms(config, { now, logLevel: config.log.level })
  const { registry, access, metadata, telemetry, report } = rooms
  const { data } = config.storage
  const admin = adminOf(rooms)
  const stopping = new AbortController()
  let certificates: Certificates | undefined
  try {
    await rooms.start()
    const forwarded = createForwarded(config)
    const { addressOf } = forwarded
    const health = healthApp({ metrics: telemetry.metrics, ready: () => metadata.storedBytes(), access, addressOf })
    const app = apiApp({ registry, access, publicUrl: config.publicUrl, forwarded, report, now })
      .route('/', health)
      .route('/', peopleApp({ access, forwarded, admin, stopping: stopping.signal, now }))
    const traffic = new Traffic(config.limits, now)
    const within = (fetch: Fetch) => limited(fetch, { traffic, addressOf, report })
    const proxy = await openProxying({ config, registry, access, forwarded, report, within, now })
    certificates = await openTls({ settings: config.tls, data, report, now })
    const around = { proxy, certificates }
    const listener = await listen(within(proxy ? connectOnly(app.fetch) : app.fetch), config.listen, around)
    const socket = await openOperatorSocket({ data, admin, report })
    const stop = async () => {
      stopping.abort()
      await Promise.all([listener.close(config.shutdownGrace), socket?.close(config.shutdownGrace)])
      await close()
    }
    return { url: listener.url, hasAdmin: access.hasAdmin, stop }
  } catch (error) {
    await close()
    throw error
  }

  async function close(): Promise<void> {
    admin.stop()
    await certificates?.stop()
    await rooms.close()
  }
}

import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { note } from '../audit/audit.ts'
import { loadConfig, type Config } from '../config/config.ts'
import { sqliteMetadata } from '../metadata/sqlite.ts'
import type { Metadata } from '../metadata/metadata.ts'
import type { Event } from '../telemetry/telemetry.ts'
import type { Io } from './io.ts'

/** Opens the database for one command and closes it. The server may be running: it sees what was done within a moment. */
export async function withMetadata<T>(
  file: string | undefined,
  io: Io,
  work: (metadata: Metadata, config: Config) => Promise<T>,
): Promise<T> {
  const config = loadConfig({ file, env: io.env })
  await mkdir(config.storage.data, { recursive: true })
  const metadata = sqliteMetadata(path.join(config.storage.data, 'berth.db'))
  try {
    return await work(metadata, config)
  } finally {
    await metadata.close()
  }
}

type Administered = Extract<Event, { type: 'administered' }>

/** Writes down what a command changed. */
export function noteCommand({ audit }: Metadata, done: Pick<Administered, 'action' | 'detail'>): Promise<void> {
  const event = { type: 'administered', user: 'command line', address: undefined, name: undefined, ...done } as const
  return note(audit, event, Date.now())
}

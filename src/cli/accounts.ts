import { AccountError, Accounts, otherUsers, Passwords } from '../access/access.ts'
import { note } from '../audit/audit.ts'
import type { Config } from '../config/config.ts'
import type { Metadata } from '../metadata/metadata.ts'
import { withMetadata } from './hosted.ts'
import { CommandError, type Io } from './io.ts'

/** Opens the accounts for one command. A running server sees what was done within a second. */
export function withAccounts<T>(
  file: string | undefined,
  io: Io,
  work: (accounts: Accounts, metadata: Metadata, config: Config) => Promise<T>,
): Promise<T> {
  return withMetadata(file, io, async (metadata, config) => {
    const others = await otherUsers(config.access)
    const notes: Promise<void>[] = []
    const accounts = new Accounts({
      metadata,
      passwords: new Passwords(),
      isUpstream: (name) =>
        config.upstreams.some((upstream) => upstream.name === name || upstream.aliases.includes(name)),
      isOtherUser: (name) => others.has(name),
      providers: config.access.oidc,
      namespaces: config.hosted.namespaces,
      by: 'command line',
      report: (event) => void notes.push(note(metadata.audit, event, Date.now())),
    })
    try {
      const result = await work(accounts, metadata, config)
      await Promise.all(notes)
      return result
    } catch (error) {
      if (error instanceof AccountError) throw new CommandError(error.message, { cause: error })
      throw error
    }
  })
}

/** A table with columns as wide as they need to be. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, at) => Math.max(most[at] ?? 0, cell.length)), [])
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

export function day(time: number | undefined): string {
  return time === undefined ? 'never' : new Date(time).toISOString().slice(0, 10)
}

import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import type { Io } from './io.ts'

export function versionCommand(io: Io): Command {
  return new Command('version').description('print the version').action(() => io.out(`berth ${readVersion()}\n`))
}

/** The version in package.json, which lies as far from src/cli as from dist/cli. */
export function readVersion(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

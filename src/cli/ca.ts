import { mkdir } from 'node:fs/promises'
import { Command } from 'commander'
import { loadConfig } from '../config/config.ts'
import { openAuthority } from '../proxy/proxy.ts'
import { configOption } from './config-option.ts'
import type { Io } from './io.ts'

export function caCommand(io: Io): Command {
  return new Command('ca')
    .description(
      "print the certificate that clients of Berth's HTTPS proxy must trust; it is made if there is none yet",
    )
    .addOption(configOption())
    .action(async ({ config: file }: { config?: string }) => {
      const { data } = loadConfig({ file, env: io.env }).storage
      await mkdir(data, { recursive: true })
      io.out((await openAuthority(data)).certificate)
    })
}

import { Command } from 'commander'
import { configJsonSchema, formatConfig, loadConfig } from '../config/config.ts'
import { configOption } from './config-option.ts'
import type { Io } from './io.ts'

export function configCommand(io: Io): Command {
  return new Command('config')
    .description('print the settings in force as YAML, secrets hidden')
    .addOption(configOption())
    .option('--schema', 'print the JSON schema of the file instead, for editors')
    .action(({ config: file, schema }: { config?: string; schema?: boolean }) => {
      if (schema) io.out(`${JSON.stringify(configJsonSchema(), null, 2)}\n`)
      else io.out(formatConfig(loadConfig({ file, env: io.env })))
    })
}

// The command line: each command is a file of its own, which returns a commander Command.
import { Command, CommanderError } from 'commander'
import { ConfigError } from '../config/config.ts'
import { auditCommand } from './audit.ts'
import { caCommand } from './ca.ts'
import { collectCommand } from './collect.ts'
import { configCommand } from './config.ts'
import { evictCommand } from './evict.ts'
import { CommandError, processIo, type Io } from './io.ts'
import { loginCommand, logoutCommand } from './login.ts'
import { mayCommand } from './may.ts'
import { namespaceCommand } from './namespace.ts'
import { orgCommand } from './org.ts'
import { pinCommand, unpinCommand } from './pin.ts'
import { repoCommand } from './repo.ts'
import { serveCommand } from './serve.ts'
import { spendingCommand } from './spending.ts'
import { statusCommand } from './status.ts'
import { historyCommand, tagsCommand } from './tags.ts'
import { tokenCommand } from './token.ts'
import { userCommand } from './user.ts'
import { readVersion, versionCommand } from './version.ts'
import { warmCommand } from './warm.ts'

/** Runs the command that `argv` names and answers with its exit code: 0, 1 for a failure, 2 for a mistake of ours. */
export async function runCli(argv: readonly string[], io: Io = processIo): Promise<number> {
  try {
    await program(io).parseAsync(argv, { from: 'user' })
    return 0
  } catch (error) {
    return exitCodeOf(error, io)
  }
}

function program(io: Io): Command {
  const program = new Command('berth')
    .description(
      'A container registry: it caches every registry its clients pull from, and hosts the images they push.',
    )
    .version(readVersion(), '-V, --version', 'print the version')
    .helpCommand('help [command]', 'show help of a command')
  const accounts = [userCommand, orgCommand, tokenCommand, repoCommand, mayCommand]
  const content = [tagsCommand, historyCommand, evictCommand, pinCommand, unpinCommand, warmCommand, collectCommand]
  const records = [statusCommand, auditCommand, spendingCommand]
  const others = [caCommand, configCommand, versionCommand]
  const commands = [
    ...[serveCommand, namespaceCommand, ...accounts, ...content, ...records],
    ...[loginCommand, logoutCommand, ...others],
  ]
  for (const command of commands) program.addCommand(command(io))
  for (const command of [program, ...program.commands.flatMap((outer) => [outer, ...outer.commands])]) {
    command
      .helpOption('-h, --help', 'show help')
      .exitOverride()
      .configureOutput({
        writeOut: io.out,
        writeErr: io.err,
        getOutHelpWidth: () => 100,
        getErrHelpWidth: () => 100,
      })
  }
  return program
}

function exitCodeOf(error: unknown, io: Io): number {
  // Commander has written its message, or the help, already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof ConfigError) {
    io.err(error.mistakes.map((line) => `${line}\n`).join(''))
    return 2
  }
  if (error instanceof CommandError) {
    io.err(`berth: ${error.message}\n`)
    return error.exitCode
  }
  io.err(`berth: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return 1
}

import { Command, InvalidArgumentError } from 'commander'
import { rights, type Answer } from '../admin/operations.ts'
import { parseDuration } from '../config/config.ts'
import type { Io } from './io.ts'
import { targeted, withApi, type Target } from './target.ts'

interface Options extends Target {
  /** Milliseconds since 1970. */
  since?: number
  user?: string
  action?: string
  name?: string
}

export function auditCommand(io: Io): Command {
  return targeted(
    new Command('audit')
      .description(
        'print who pulled, pushed, deleted, logged in and changed what: one JSON object a line, oldest first',
      )
      .option('--since <time>', 'from this time on: a date, or a duration before now such as 7d', moment)
      .option('--user <name>', 'only what this user did')
      .option('--action <action>', 'only pull, push, delete, login, "login refused", "token created" and so on')
      .option('--name <name>', 'only what was done to this repository, account or token'),
  ).action(({ since, user, action, name, ...target }: Options) =>
    withApi(target, io, async (api) => {
      let after: number | undefined = 0
      while (after !== undefined) {
        const { entries, next }: Answer<typeof rights.readAudit> = await api.call(rights.readAudit, {
          since,
          user,
          action,
          name,
          after,
        })
        for (const { at, ...entry } of entries)
          io.out(`${JSON.stringify({ at: new Date(at).toISOString(), ...entry })}\n`)
        after = next
      }
    }),
  )
}

function moment(text: string): number {
  const before = parseDuration(text)
  const time = before === undefined ? Date.parse(text) : Date.now() - before
  if (Number.isNaN(time))
    throw new InvalidArgumentError('It must be a date such as 2026-11-25, or a duration such as 7d.')
  return time
}

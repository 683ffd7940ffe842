import { Argument } from 'commander'
import type { Given, rights } from '../admin/operations.ts'

type Role = NonNullable<Given<typeof rights.setGrant>['role']>

/** What somebody is to be; none takes it back. */
export function roleArgument(): Argument {
  return new Argument('<role>', 'owner: all; writer: pull and push; reader: pull; none').choices([
    'owner',
    'writer',
    'reader',
    'none',
  ])
}

export function roleOf(text: string): Role | undefined {
  return text === 'none' ? undefined : (text as Role)
}

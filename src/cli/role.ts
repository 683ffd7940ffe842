import { Argument } from 'commander'
import type { Role } from '../metadata/metadata.ts'

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

import { randomBytes } from 'node:crypto'
import { isNamespace } from '../oci/reference.ts'
import { operator } from './identity.ts'
import { everybody, everyUser } from './policy.ts'

/** A change that was refused. The message says what was wanted and what was seen. */
export class AccountError extends Error {
  override readonly name = 'AccountError'
}

/** Whose names are taken by what is no account of the database. */
export interface OtherNames {
  /** Names that clients call upstreams by: a namespace of such a name could never be reached. */
  isUpstream: (name: string) => boolean
  /** Users who are not in the database. */
  isOtherUser: (name: string) => boolean
}

/** Names that stand for more than one in rules, and those of clients that did not log in, and of the operator in the audit log. */
export const reservedNames: readonly string[] = [everybody, everyUser, 'anonymous', operator.user]

/** Whether an account, and with it a namespace, can have this name. */
export function isNamespaceName(name: string): boolean {
  return isNamespace(name) && name.length <= 100
}

/** Throws AccountError for a name that no new account can have. */
export function expectNewName(name: string, { isUpstream, isOtherUser }: OtherNames): void {
  if (!isNamespaceName(name)) {
    const saw = JSON.stringify(name.slice(0, 100))
    throw new AccountError(`a name must be lower-case letters and digits with - or _ between them, saw ${saw}`)
  }
  if (reservedNames.includes(name)) throw new AccountError(`${name} stands for others in rules; choose another name`)
  if (isUpstream(name)) throw new AccountError(`${name} is what an upstream is called; choose another name`)
  if (isOtherUser(name)) {
    throw new AccountError(`${name} is a user of the settings (access.user or access.htpasswdFile) already`)
  }
}

/** Names one link of a login elsewhere to a user: linked anew it is another. */
export function makeIdentityId(): string {
  return randomBytes(8).toString('hex')
}

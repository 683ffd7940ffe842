import { createHash } from 'node:crypto'
import { RegistryError } from '../oci/errors.ts'
import { Lanes } from '../oci/lanes.ts'

// Loaded with the first password: a mirror without users needs neither.
const argon2 = () => import('@node-rs/argon2')
const bcrypt = () => import('bcrypt').then((module) => module.default)

/** How many hashes are computed at once: each takes a thread that reading files needs too. */
const atOnce = 2
/** How many may wait for their turn. */
const waiting = 64

/** As `Passwords.hash`, but always the same for the same user: for a password that stands in the settings. */
export async function hashOfSettings(user: string, password: string): Promise<string> {
  const { hash } = await argon2()
  const salt = createHash('sha256').update(`berth ${user}`).digest().subarray(0, 16)
  return hash(password.normalize('NFC'), { salt })
}

/** Whether passwords of this form can be compared: argon2 as we make it, bcrypt as htpasswd does. */
export function isComparable(stored: string): boolean {
  return /^\$argon2id\$/.test(stored) || /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/.test(stored)
}

/** What a token tells of the password it came by: another one when the password is changed. */
export function fingerprint(stored: string): string {
  return createHash('sha256').update(stored).digest('base64url').slice(0, 16)
}

/** Makes what is kept of passwords, and compares them with it: a few at a time and off the main thread. */
export class Passwords {
  readonly #lanes = new Lanes(atOnce)
  /** By form: what is compared where there is no such user. */
  readonly #pretended = new Map<string, Promise<string>>()

  /** The argon2id hash (PHC string, a fresh salt, 19 MiB, two passes). Throws TOOMANYREQUESTS when too many wait already. */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => hash(password))
  }

  /** Throws TOOMANYREQUESTS when too many wait already. */
  verify(password: string, stored: string): Promise<boolean> {
    return this.#inTurn(() => compare(password, stored))
  }

  /** Takes as long as `verify` does with a stored password of the form of `like`, and is never right. */
  async pretend(password: string, like: string | undefined): Promise<false> {
    const form = /^\$2[aby]\$(\d\d)/.exec(like ?? '')?.[1] ?? 'argon2'
    let stored = this.#pretended.get(form)
    if (!stored) {
      const never = crypto.randomUUID()
      const make = () => (form === 'argon2' ? hash(never) : bcrypt().then(({ hash }) => hash(never, Number(form))))
      // It is kept for the next ones, so it is never refused.
      stored = this.#lanes.use(make)
      this.#pretended.set(form, stored)
    }
    await this.verify(password, await stored)
    return false
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#lanes.waiting >= waiting) {
      throw new RegistryError('TOOMANYREQUESTS', 'too many logins at once, try again', {
        headers: { 'Retry-After': '2' },
      })
    }
    return this.#lanes.use(work)
  }
}

async function hash(password: string): Promise<string> {
  const { hash } = await argon2()
  return hash(password.normalize('NFC'))
}

async function compare(password: string, stored: string): Promise<boolean> {
  const normal = password.normalize('NFC')
  if (stored.startsWith('$argon2')) return (await argon2()).verify(stored, normal)
  // The library knows not 2y, which PHP and htpasswd call the same thing.
  const known = stored.replace(/^\$2y/, '$2b')
  const { compare: matches } = await bcrypt()
  // A file's passwords are of the bytes that were typed then, whatever their form.
  if (await matches(normal, known)) return true
  return normal !== password && matches(password, known)
}

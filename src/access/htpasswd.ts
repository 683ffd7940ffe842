import { readFile, stat } from 'node:fs/promises'
import { isComparable } from './passwords.ts'

export interface Htpasswd {
  /** User -> bcrypt hash. */
  readonly users: ReadonlyMap<string, string>
  /** Lines that were left out, and why, in words without secrets. */
  readonly refused: readonly string[]
}

const forms: [RegExp, string][] = [
  [/^\$apr1\$/, 'MD5 (apr1)'],
  [/^\$1\$/, 'MD5 crypt'],
  [/^\$5\$/, 'SHA-256 crypt'],
  [/^\$6\$/, 'SHA-512 crypt'],
  [/^\{SHA\}/i, 'SHA-1'],
  [/^[./A-Za-z0-9]{13}$/, 'DES crypt or plain text'],
]

/** Reads a file of `NAME:HASH` lines as Apache's htpasswd writes it. Only bcrypt ($2a$, $2b$, $2y$) is taken. */
export function parseHtpasswd(text: string): Htpasswd {
  const users = new Map<string, string>()
  const refused: string[] = []
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return
    const [name, stored] = divide(line)
    const where = `line ${index + 1}`
    if (name === '' || stored === undefined) refused.push(`${where}: must be NAME:HASH`)
    else if (users.has(name)) refused.push(`${where}: ${JSON.stringify(name)} is there twice, the first counts`)
    else if (isComparable(stored) && stored.startsWith('$2')) users.set(name, stored)
    else refused.push(`${where}: ${JSON.stringify(name)} must have a bcrypt hash (htpasswd -B), saw ${formOf(stored)}`)
  })
  return { users, refused }
}

function divide(line: string): [string, string | undefined] {
  const colon = line.indexOf(':')
  if (colon < 0) return [line, undefined]
  return [line.slice(0, colon).normalize('NFC'), line.slice(colon + 1).trim()]
}

function formOf(stored: string): string {
  return forms.find(([form]) => form.test(stored))?.[1] ?? 'another form or plain text'
}

/** A file of passwords that others write to. */
export class HtpasswdFile {
  readonly #file: string
  #seen = ''

  constructor(file: string) {
    this.#file = file
  }

  /** Its content when it has changed since the last call; undefined when not. Rejects with the system's error. */
  async readIfChanged(): Promise<Htpasswd | undefined> {
    const { mtimeMs, size, ino } = await stat(this.#file)
    const state = `${mtimeMs} ${size} ${ino}`
    if (state === this.#seen) return undefined
    const text = await readFile(this.#file, 'utf8')
    this.#seen = state
    return parseHtpasswd(text)
  }
}

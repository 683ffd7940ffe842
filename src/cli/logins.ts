import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { CommandError } from './io.ts'

export interface StoredLogin {
  readonly user: string
  readonly token: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  /** The PEM file of the authority that the server's certificate is from. */
  readonly ca?: string | undefined
}

/** What `berth login` keeps, by server: in ~/.config/berth, for its owner's eyes alone. */
export class Logins {
  readonly #file: string

  constructor(env: NodeJS.ProcessEnv) {
    const config = env.XDG_CONFIG_HOME || path.join(env.HOME || homedir(), '.config')
    this.#file = path.join(config, 'berth', 'logins.json')
  }

  async find(server: URL): Promise<StoredLogin | undefined> {
    return (await this.#read()).get(server.origin)
  }

  /** The origins of servers. */
  async servers(): Promise<string[]> {
    return [...(await this.#read()).keys()]
  }

  async keep(server: URL, login: StoredLogin): Promise<void> {
    await this.#write((await this.#read()).set(server.origin, login))
  }

  /** False when there was none. */
  async forget(server: URL): Promise<boolean> {
    const all = await this.#read()
    if (!all.delete(server.origin)) return false
    await this.#write(all)
    return true
  }

  async #read(): Promise<Map<string, StoredLogin>> {
    try {
      const stored = JSON.parse(await readFile(this.#file, 'utf8')) as Record<string, StoredLogin>
      return new Map(Object.entries(stored))
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return new Map()
      const message = `the stored logins cannot be read (${(cause as Error).message})`
      throw new CommandError(`${message}: remove ${this.#file} and log in again`, { cause })
    }
  }

  async #write(logins: ReadonlyMap<string, StoredLogin>): Promise<void> {
    await mkdir(path.dirname(this.#file), { recursive: true, mode: 0o700 })
    const temporary = `${this.#file}.${process.pid}`
    const file = await open(temporary, 'w', 0o600)
    try {
      await file.writeFile(`${JSON.stringify(Object.fromEntries(logins), undefined, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, this.#file)
  }
}

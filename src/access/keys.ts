import { randomBytes } from 'node:crypto'
import { open, readFile, rename } from 'node:fs/promises'
import path from 'node:path'

/** One key signs for this long, in milliseconds. */
const signsFor = 30 * 24 * 3_600_000

interface Key {
  readonly id: string
  readonly secret: Uint8Array
  /** Milliseconds since 1970. */
  readonly madeAt: number
}

/** The keys by which tokens are signed, in a file that nobody else may read. Only Berth reads its tokens: one secret does both. */
export class Keys {
  readonly #file: string
  readonly #keeps: number
  readonly #now: () => number
  #keys: readonly Key[] = []
  #making: Promise<Key> | undefined

  private constructor(file: string, keeps: number, now: () => number) {
    this.#file = file
    this.#keeps = keeps
    this.#now = now
  }

  /** `keeps`: how long what a key has signed may be valid, in milliseconds. Rejects when the file cannot be read or written. */
  static async open(folder: string, keeps: number, now: () => number): Promise<Keys> {
    const keys = new Keys(path.join(folder, 'token-keys.json'), keeps, now)
    keys.#keys = await keys.#read()
    await keys.current()
    return keys
  }

  find(id: string | undefined): Key | undefined {
    return this.#keys.find((key) => key.id === id)
  }

  /** The key that signs now; a new one when the last is old. */
  async current(): Promise<Key> {
    const newest = this.#keys[0]
    if (newest && this.#now() < newest.madeAt + signsFor) return newest
    this.#making ??= this.#rotate().finally(() => (this.#making = undefined))
    return this.#making
  }

  async #rotate(): Promise<Key> {
    const made: Key = { id: randomBytes(6).toString('hex'), secret: randomBytes(32), madeAt: this.#now() }
    const needed = this.#keys.filter(({ madeAt }) => this.#now() < madeAt + signsFor + this.#keeps)
    const keys = [made, ...needed]
    await this.#write(keys)
    this.#keys = keys
    return made
  }

  async #read(): Promise<Key[]> {
    const text = await readFile(this.#file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '[]'
      throw error
    })
    const kept = JSON.parse(text) as { id: string; secret: string; madeAt: number }[]
    return kept.map((key) => ({ ...key, secret: Buffer.from(key.secret, 'base64url') }))
  }

  async #write(keys: readonly Key[]): Promise<void> {
    const text = JSON.stringify(
      keys.map((key) => ({ ...key, secret: Buffer.from(key.secret).toString('base64url') })),
      null,
      1,
    )
    const temporary = `${this.#file}.new`
    const file = await open(temporary, 'w', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, this.#file)
  }
}

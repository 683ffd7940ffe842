import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { CommandError, type Io } from './io.ts'

/**
 * A password: of a file, typed at a terminal that does not show it, twice where it is a new one, or the whole of standard
 * input. Never of argv.
 */
export async function askPassword(io: Io, file: string | undefined, { isNew = true } = {}): Promise<string> {
  if (file !== undefined) return withoutLineEnd(await read(file))
  if (!io.input) throw new CommandError('a password is needed: --password-file FILE')
  if (!(io.input as NodeJS.ReadStream).isTTY) return withoutLineEnd(await all(io.input))
  const password = await typed(io, 'Password: ')
  if (isNew && (await typed(io, 'Again: ')) !== password) throw new CommandError('the two passwords are not the same')
  return password
}

/** Something else that is asked for at a terminal, and shown. */
export async function askLine(io: Io, question: string): Promise<string> {
  if (!(io.input as NodeJS.ReadStream | undefined)?.isTTY)
    throw new CommandError('a user name is needed: --username NAME')
  const terminal = createInterface({ input: io.input!, output: process.stderr, terminal: true })
  try {
    return await terminal.question(question)
  } finally {
    terminal.close()
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new CommandError(`the file ${file} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

async function all(input: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of input) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

async function typed(io: Io, question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input: io.input!, output: nowhere, terminal: true })
  io.err(question)
  try {
    return await terminal.question('')
  } finally {
    terminal.close()
    io.err('\n')
  }
}

const withoutLineEnd = (text: string): string => text.replace(/\r?\n$/, '')

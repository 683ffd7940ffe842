/** What a command has besides its arguments: where it writes, what it is given to read, and the environment. */
export interface Io {
  out: (text: string) => void
  err: (text: string) => void
  env: NodeJS.ProcessEnv
  /** A terminal, or what is piped in. */
  input?: NodeJS.ReadableStream
}

export const processIo: Io = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  env: process.env,
  input: process.stdin,
}

/** A command could not do what it was asked to. The message is for the operator: wanted, seen, next step. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  /** 2 where what is wrong is the command, or the settings. */
  readonly exitCode: 1 | 2

  constructor(message: string, { exitCode = 1, ...options }: ErrorOptions & { exitCode?: 1 | 2 } = {}) {
    super(message, options)
    this.exitCode = exitCode
  }
}

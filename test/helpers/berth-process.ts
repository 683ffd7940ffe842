import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const fromSource = ['--import', import.meta.resolve('tsx'), main]
/** Else pages would be compiled by the settings of the folder it runs in. */
const TSX_TSCONFIG_PATH = fileURLToPath(new URL('../../tsconfig.json', import.meta.url))
const builtMain = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** Whether there is a build to run: `npm test` makes one first. */
export const isBuilt = existsSync(builtMain)

/** `berth` as a process of its own: what it printed so far, and a wait for a line or for its end. */
export class BerthProcess {
  readonly child: ChildProcess
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  output = ''

  constructor(argv: readonly string[], cwd: string, env: NodeJS.ProcessEnv, program = fromSource) {
    this.child = spawn(process.execPath, [...program, ...argv], {
      cwd,
      env: { PATH: process.env.PATH, TSX_TSCONFIG_PATH, ...env },
    })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text))
    }
    this.ended = once(this.child, 'close').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
    }))
  }

  /** What was printed until it matches. Throws with the output when the process ends or 20 s pass before that. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = AbortSignal.timeout(20_000)
    for (;;) {
      const match = pattern.exec(this.output)
      if (match) return match
      const more = [this.child.stdout, this.child.stderr].map(
        (stream) => stream && once(stream, 'data', { signal: deadline }),
      )
      const next = await Promise.race([...more, this.ended.then(() => 'ended')]).catch(() => 'late')
      if (typeof next === 'string' && !pattern.test(this.output)) {
        throw new Error(`berth printed no ${String(pattern)} (${next}):\n${this.output}`)
      }
    }
  }
}

/** Starts `berth` in this folder; it is killed, if it still runs, when the test has finished. */
export function startBerth(argv: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): BerthProcess {
  return killedAtTheEnd(new BerthProcess(argv, cwd, env))
}

/** The same of what was built, as npm start and the image start it: without the compiler in its memory. */
export function startBuiltBerth(argv: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): BerthProcess {
  return killedAtTheEnd(new BerthProcess(argv, cwd, env, ['--max-semi-space-size=8', builtMain]))
}

function killedAtTheEnd(berth: BerthProcess): BerthProcess {
  onTestFinished(async () => {
    berth.child.kill('SIGKILL')
    await berth.ended
  })
  return berth
}

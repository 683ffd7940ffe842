import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { toolPath } from '../helpers/tools.ts'

/** Attaches strace, with these options, to all threads of a process; its report goes to a file. The function returned ends it. */
export async function attachStrace(pid: number, file: string, options: string[]): Promise<() => Promise<void>> {
  const args = ['-f', ...options, '-o', file, '-p', String(pid)]
  const strace = spawn(toolPath('strace'), args, { stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => void strace.kill('SIGKILL'))
  await once(strace.stderr, 'data')
  return async () => {
    strace.kill('SIGINT')
    await once(strace, 'exit')
  }
}

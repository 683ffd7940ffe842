import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'

/** Why no file system can be mounted here; undefined where one can. */
export const noSmallDisk = reasonNotToMount()

export interface SmallDisk {
  readonly folder: string
  /** Fills it up but for so many bytes. */
  fill(leaving: number): void
  /** Undoes `fill`. */
  free(): void
  readonly freeBytes: number
}

/** A file system of its own of this size, unmounted when the test has finished. `files` limits how many it can hold. */
export function mountSmallDisk({ size, files }: { size: number; files?: number }): SmallDisk {
  const folder = mkdtempSync(path.join(tmpdir(), 'berth-disk-'))
  mount(folder, `size=${size}${files === undefined ? '' : `,nr_inodes=${files}`}`)
  onTestFinished(() => {
    // Lazily: a file that is still open must not keep the rest of the tests from going on.
    spawnSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  const ballast = path.join(folder, 'ballast')
  const freeBytes = () => {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  }
  return {
    folder,
    fill: (leaving) => writeFileSync(ballast, Buffer.alloc(Math.max(0, freeBytes() - leaving))),
    free: () => rmSync(ballast, { force: true }),
    get freeBytes() {
      return freeBytes()
    },
  }
}

/** Makes a folder one that can only be read, by root as well, until the test has finished. */
export function mountReadOnly(folder: string): void {
  for (const options of [
    ['--bind', folder, folder],
    ['-o', 'remount,bind,ro', folder],
  ]) {
    const { status, stderr } = spawnSync('mount', options, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`mount failed: ${stderr}`)
  }
  onTestFinished(() => void spawnSync('umount', ['-l', folder]))
}

function mount(folder: string, options: string): void {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`mount failed: ${stderr}`)
}

function reasonNotToMount(): string | undefined {
  const folder = mkdtempSync(path.join(tmpdir(), 'berth-disk-'))
  try {
    mount(folder, 'size=65536')
    spawnSync('umount', [folder])
    return undefined
  } catch (error) {
    return (error as Error).message.trim()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

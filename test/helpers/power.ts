import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { makeFolder } from './folder.ts'

export interface Disk {
  /** A file system of its own. */
  readonly folder: string
  /**
   * What a power loss at this moment would leave, mounted elsewhere: only what was handed to the disk is there, for what
   * lies in the kernel's memory alone has not reached the disk's image.
   */
  afterPowerLoss(): string
}

/** Why no disk can be made here; undefined where one can. */
export const noDisk = reasonNotToMount()

/** An ext4 file system in an image of this size, for the running test. It writes nothing of itself for ten minutes. */
export function makeDisk(size: number): Disk {
  const home = makeFolder()
  const image = path.join(home, 'image')
  writeFileSync(image, '')
  truncateSync(image, size)
  run('mkfs.ext4', '-q', '-F', image)
  let losses = 0
  return {
    folder: mountImage(image, path.join(home, 'disk')),
    afterPowerLoss() {
      const copy = `${image}-${++losses}`
      copyFileSync(image, copy)
      return mountImage(copy, path.join(home, `after-${losses}`))
    },
  }
}

function mountImage(image: string, folder: string): string {
  mkdirSync(folder)
  run('mount', '-o', 'loop,commit=600', image, folder)
  onTestFinished(() => void spawnSync('umount', ['-l', folder]))
  return folder
}

function run(command: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`)
}

function reasonNotToMount(): string | undefined {
  if (process.getuid?.() !== 0) return 'it must run as root'
  const { status, stderr, error } = spawnSync('losetup', ['--find'], { encoding: 'utf8' })
  return status === 0 ? undefined : `no loop device: ${error?.message ?? stderr.trim()}`
}

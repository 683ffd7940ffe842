import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'
import { makeBytes, type Bytes } from './bytes.ts'
import { makeTar, type TarEntry } from './tar.ts'

/** A layer as an image manifest and its config name it. */
export interface Layer {
  /** What is stored and pulled. */
  blob: Bytes
  compression: Compression
  /** The digest of the tar file inside. */
  diffId: string
}

export type Compression = 'none' | 'gzip' | 'zstd'

export function makeLayer(entries: TarEntry[], compression: Compression = 'gzip'): Layer {
  const tar = makeBytes(makeTar(entries))
  return { blob: compression === 'none' ? tar : makeBytes(compress[compression](tar)), compression, diffId: tar.digest }
}

const compress = {
  gzip: (tar: Bytes) => gzipSync(tar.read()),
  // Node.js has zstd from 22.15 on; the command (Debian: zstd) does for all.
  zstd: (tar: Bytes) => execFileSync('zstd', ['-q', '-c'], { input: tar.read(), maxBuffer: 1024 ** 3 }),
}

/** The layer without a file that Docker's classic builder writes for every `ENV` or `CMD`, byte for byte. */
export function emptyLayer(): Layer {
  const blob = Buffer.from('H4sIAAAJbogA/2IYBaNgFIxYAAgAAP//Lq+17wAEAAA=', 'base64')
  return { blob: makeBytes(blob), compression: 'gzip', diffId: makeBytes(gunzipSync(blob)).digest }
}

const busyboxPath = '/bin/busybox'

/** Whether the busybox images can be made: Debian's busybox-static is there. */
export const hasBusybox = existsSync(busyboxPath)
export const hasZstd = (process.env.PATH ?? '').split(':').some((folder) => existsSync(`${folder}/zstd`))

/** A root file system that runs: this machine's static busybox and a few of its commands. */
export function busyboxEntries(): TarEntry[] {
  if (!hasBusybox) throw new Error(`${busyboxPath} is missing: install Debian's busybox-static`)
  const folders = ['bin/', 'dev/', 'etc/', 'proc/', 'sys/', 'tmp/'].map((path) => ({ path }))
  const commands = ['sh', 'cat', 'echo', 'env', 'id', 'ls', 'ps', 'sha256sum', 'sleep', 'true', 'uname']
  return [
    ...folders,
    { path: 'bin/busybox', content: readFileSync(busyboxPath), mode: 0o755 },
    ...commands.map((name) => ({ path: `bin/${name}`, link: 'busybox' })),
    { path: 'etc/passwd', content: 'root:x:0:0:root:/:/bin/sh\n' },
    { path: 'etc/group', content: 'root:x:0:\n' },
  ]
}

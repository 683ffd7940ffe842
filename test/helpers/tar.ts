import { makeBytes, type BytesSpec } from './bytes.ts'

/** One entry of a tar file. A path that ends in `/` is a folder. */
export interface TarEntry {
  path: string
  content?: BytesSpec
  mode?: number
  /** The entry is a symbolic link to this. */
  link?: string
}

const blockSize = 512

/** A tar file (ustar) of these entries; contents are not copied, so that a large generated file costs no memory. */
export function makeTar(entries: TarEntry[]): { parts: BytesSpec[] } {
  const parts = entries.flatMap((entry) => {
    const content = makeBytes(entry.content ?? '')
    return [header(entry, content.size), content, Buffer.alloc(-content.size & (blockSize - 1))]
  })
  return { parts: [...parts, Buffer.alloc(2 * blockSize)] }
}

function header({ path, link, mode }: TarEntry, size: number): Buffer {
  const isFolder = path.endsWith('/')
  const block = Buffer.alloc(blockSize)
  block.write(checkedName(path), 0)
  writeOctal(block, mode ?? (isFolder || link !== undefined ? 0o755 : 0o644), 100, 8)
  writeOctal(block, 0, 108, 8)
  writeOctal(block, 0, 116, 8)
  writeOctal(block, size, 124, 12)
  writeOctal(block, 0, 136, 12)
  block.write(link !== undefined ? '2' : isFolder ? '5' : '0', 156)
  block.write(checkedName(link ?? ''), 157)
  block.write('ustar\u000000', 257)
  // The checksum counts its own field as blanks.
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

function checkedName(name: string): string {
  if (Buffer.byteLength(name) > 100) throw new Error(`too long for this tar writer: ${name}`)
  return name
}

function writeOctal(block: Buffer, value: number, at: number, width: number): void {
  block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at)
}

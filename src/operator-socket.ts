import path from 'node:path'

/** The longest path that a socket can have, in bytes, on every system. */
const longest = 103

/**
 * Where a running server answers whoever may read and write its data folder. Undefined where that lies too deep for a socket:
 * then the command line works beside the server.
 */
export function operatorSocket(data: string): string | undefined {
  const absolute = path.resolve(data, 'operator.sock')
  const relative = path.relative('', absolute)
  const shorter = relative !== '' && relative.length < absolute.length ? relative : absolute
  return Buffer.byteLength(shorter) > longest ? undefined : shorter
}

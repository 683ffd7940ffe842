import type { IncomingMessage } from 'node:http'
import { RegistryError } from '../oci/errors.ts'

/** Reads a body of at most `most` bytes. Throws SIZE_INVALID for a larger one, as soon as that is known. */
export async function readBody(
  incoming: IncomingMessage,
  what: string,
  most: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = (size: number) =>
    new RegistryError('SIZE_INVALID', `${what} must have at most ${most} bytes, saw ${size} or more`)
  const declared = Number(incoming.headers['content-length'] ?? 0)
  if (declared > most) throw tooLarge(declared)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > most) throw tooLarge(size)
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

import type { IncomingMessage } from 'node:http'
import { quote } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import type { UploadBody } from '../oci/registry.ts'
import type { Call } from './call.ts'

/** A request's body as part of a blob, straight from Node's request: web streams would halve the rate. */
export function uploadBody({ incoming }: Call): UploadBody {
  const declared = incoming.headers['content-length']
  const size = declared === undefined ? undefined : Number(declared)
  const start = startOf(incoming.headers['content-range'], size)
  return { chunks: chunksOf(incoming), size, start, cancel: () => incoming.destroy() }
}

async function* chunksOf(incoming: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    // Whoever stops reading has an answer to send over the same connection.
    yield* incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>
  } catch (cause) {
    throw new RegistryError('BLOB_UPLOAD_INVALID', 'the connection broke before the end of the body', { cause })
  }
}

/** The specification's `0-99`, and `bytes 0-99/*` as HTTP has it for answers. The end must agree with the length. */
function startOf(header: string | undefined, size: number | undefined): number | undefined {
  if (header === undefined) return undefined
  const match = /^(?:bytes[ =])?(\d{1,15})-(-?\d{1,15})(?:\/(?:\d+|\*))?$/.exec(header.trim())
  if (!match) {
    throw new RegistryError('BLOB_UPLOAD_INVALID', `Content-Range must be START-END, saw ${quote(header)}`)
  }
  const [start, end] = [Number(match[1]), Number(match[2])]
  if (size !== undefined && size > 0 && end - start + 1 !== size) {
    const message = `Content-Range ${quote(header)} must be as long as the body, which has ${size} bytes`
    throw new RegistryError('SIZE_INVALID', message, { status: 400 })
  }
  return start
}

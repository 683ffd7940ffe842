import type { Digest } from '../oci/digest.ts'
import { parseRange, resolveRanges, type AskedRange, type ByteRange } from '../oci/range.ts'
import { octetStream } from '../oci/media-types.ts'
import type { Blob, Registry, Soon } from '../oci/registry.ts'
import { apiVersion, type Call, type ReplyHeaders } from './call.ts'

/** Headers of small blobs that were served before, by their bytes in memory. */
const knownHeaders = new WeakMap<Uint8Array, ReplyHeaders>()

/** end-2: GET and HEAD of a blob. A small one that is in memory is answered without waiting a turn. */
export function blob(call: Call, registry: Registry, digest: Digest): Soon<Response> {
  const asked = call.head ? undefined : askedRanges(call, digest)
  const unchanged = call.has(digest)
  if (call.head || unchanged || asked) return partOf(call, registry, digest, asked, unchanged)
  return whole(call, registry, digest)
}

function whole(call: Call, registry: Registry, digest: Digest): Soon<Response> {
  const found = registry.getBlob(call.name, digest, undefined, call)
  return found instanceof Promise ? found.then((blob) => answer(call, blob)) : answer(call, found)
}

function answer(call: Call, found: Blob): Response {
  const { digest, size, whole } = found
  if (!whole) return call.replyBlob(200, { ...headersOf(digest), ...lengthOf(size) }, found)
  const headers = knownHeaders.get(whole) ?? { ...headersOf(digest), ...lengthOf(size) }
  knownHeaders.set(whole, headers)
  return call.reply(200, headers, whole)
}

/** What needs the size and perhaps no byte: HEAD, If-None-Match, ranges. */
async function partOf(
  call: Call,
  registry: Registry,
  digest: Digest,
  asked: AskedRange[] | undefined,
  unchanged: boolean,
): Promise<Response> {
  const { size } = await registry.headBlob(call.name, digest, call)
  const headers = { ...headersOf(digest), ...lengthOf(size) }
  if (unchanged) return call.reply(304, headers, null)
  if (call.head) return call.reply(200, headers, null)
  // The whole is answered where without a length there is no telling what a range means, and where ranges that
  // overlap would cost more than the whole.
  const wanted = size === undefined ? [] : resolveRanges(asked!, size)
  if (size === undefined || totalOf(wanted) > size) return whole(call, registry, digest)
  return ranges(call, registry, { digest, size }, wanted)
}

/** The ranges asked for, unless If-Range names other content: its comparison is strong (RFC 9110, 13.1.5). */
function askedRanges(call: Call, digest: Digest): AskedRange[] | undefined {
  const { range, 'if-range': ifRange } = call.incoming.headers
  if (range === undefined) return undefined
  if (ifRange !== undefined && ifRange !== `"${digest}"` && ifRange !== digest) return undefined
  return parseRange(range)
}

/** A blob whose size is known, of which ranges are asked. */
interface Sized {
  digest: Digest
  size: number
}

async function ranges(call: Call, registry: Registry, blob: Sized, wanted: ByteRange[]): Promise<Response> {
  if (wanted.length > 1) return parts(call, registry, blob, wanted)
  const range = wanted[0]!
  const { digest, size } = blob
  const found = await registry.getBlob(call.name, digest, range, call)
  const headers = {
    ...headersOf(digest),
    ...lengthOf(range.end - range.start),
    'Content-Range': contentRange(range, size),
  }
  return call.replyBlob(206, headers, found)
}

/** Several ranges as multipart/byteranges (RFC 9110, 14.6): lazy pullers ask for dozens at once. */
async function parts(call: Call, registry: Registry, { digest, size }: Sized, wanted: ByteRange[]): Promise<Response> {
  const boundary = `berth-${digest.slice(-32)}`
  const framed = wanted.map((range, i) => ({
    range,
    head: `${i === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: ${octetStream}\r\nContent-Range: ${contentRange(range, size)}\r\n\r\n`,
  }))
  const tail = `\r\n--${boundary}--\r\n`
  const length = framed.reduce((sum, { head, range }) => sum + head.length + range.end - range.start, tail.length)
  const headers = {
    ...headersOf(digest),
    ...lengthOf(length),
    'Content-Type': `multipart/byteranges; boundary=${boundary}`,
  }
  // The first part is opened before the head goes out: up to then a failure can be a status.
  let first: Blob | undefined = await registry.getBlob(call.name, digest, wanted[0], call)
  const open = async (range: ByteRange) => {
    const opened = first ?? (await registry.getBlob(call.name, digest, range, call))
    first = undefined
    return opened
  }
  return call.replyBy(206, (out) => call.sender.sendParts(out, headers, framed, tail, open))
}

const totalOf = (ranges: ByteRange[]): number => ranges.reduce((sum, { start, end }) => sum + end - start, 0)

const contentRange = (range: ByteRange, size: number): string => `bytes ${range.start}-${range.end - 1}/${size}`

const lengthOf = (size: number | undefined): Record<string, string> =>
  size === undefined ? {} : { 'Content-Length': String(size) }

function headersOf(digest: Digest): Record<string, string> {
  return {
    'Content-Type': octetStream,
    'Docker-Content-Digest': digest,
    'Accept-Ranges': 'bytes',
    ETag: `"${digest}"`,
    ...apiVersion,
  }
}

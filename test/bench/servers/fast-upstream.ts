// A registry of generated blobs, as a process of its own: fast, shaped per connection, and it counts what it sent. The
// tests' upstream records far more of every request than a benchmark can pay for.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseRange, resolveRanges } from '../../../src/oci/range.ts'
import { makeBytes, type Bytes } from '../../helpers/bytes.ts'
import type { Image, ImageSpec, Served, Shape } from './upstream.ts'

const config = 'application/vnd.oci.image.config.v1+json'
const layer = 'application/vnd.oci.image.layer.v1.tar'
const index = 'application/vnd.oci.image.manifest.v1+json'

const blobs = new Map<string, Bytes>()
const manifests = new Map<string, Bytes>()
const served = new Map<string, Served>()
let shape: Shape = {}

createServer((request, response) => {
  answer(request, response).catch((error: unknown) => response.destroy(error as Error))
}).listen(Number(process.argv[2]), '127.0.0.1')

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url!
  if (url.startsWith('/_bench/')) return control(url.slice('/_bench/'.length), request, response)
  if (shape.latency) await sleep(shape.latency)
  const [, kind, reference] = /\/(manifests|blobs)\/([^/]+)$/.exec(url) ?? []
  if (kind === undefined) return void response.writeHead(200).end('{}')
  const found = kind === 'blobs' ? blobs.get(reference!) : manifests.get(byTag(url) ?? reference!)
  if (!found) return void response.writeHead(404).end()
  await send(found, kind === 'blobs' ? 'application/octet-stream' : index, request, response)
}

const byTag = (url: string): string | undefined => /\/v2\/(.+)\/manifests\/[^:]+$/.exec(url)?.[1]

async function send(found: Bytes, type: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { digest, size } = found
  const asked = request.headers.range === undefined ? undefined : parseRange(request.headers.range)
  const { start, end } = asked ? resolveRanges(asked, size)[0]! : { start: 0, end: size }
  response.writeHead(asked ? 206 : 200, {
    'Content-Type': type,
    'Content-Length': end - start,
    'Docker-Content-Digest': digest,
    'Accept-Ranges': 'bytes',
    ETag: `"${digest}"`,
    ...(asked && { 'Content-Range': `bytes ${start}-${end - 1}/${size}` }),
  })
  if (request.method === 'HEAD') return void response.end()
  const count = served.get(digest) ?? { bodies: 0, bytes: 0 }
  served.set(digest, count)
  count.bodies++
  for (const piece of pieces(found, start, end)) {
    if (response.destroyed) return
    await pace(response.socket, piece.length)
    count.bytes += piece.length
    if (!response.write(piece)) await drained(response)
  }
  response.end()
}

function* pieces(found: Bytes, start: number, end: number): Generator<Buffer> {
  const most = shape.bytesPerSecond ? 64 * 1024 : Infinity
  for (const chunk of found.chunks(start, end)) {
    for (let at = 0; at < chunk.length; at += most) yield chunk.subarray(at, Math.min(chunk.length, at + most))
  }
}

/** When the next byte of a connection is due, in milliseconds: the limit is the connection's, whatever it carries. */
const due = new WeakMap<Socket, number>()

async function pace(socket: Socket | null, length: number): Promise<void> {
  if (!shape.bytesPerSecond || !socket) return
  const now = performance.now()
  // Timers come late: a little of what was missed may be made good.
  const at = Math.max(due.get(socket) ?? now, now - 20)
  due.set(socket, at + (length / shape.bytesPerSecond) * 1000)
  if (at > now + 1) await sleep(at - now)
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      response.off('drain', go).off('close', go)
      resolve()
    }
    response.once('drain', go).once('close', go)
  })
}

async function control(order: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += chunk as string
  if (order === 'shape') shape = JSON.parse(body) as Shape
  const result = order === 'image' ? makeImage(JSON.parse(body) as ImageSpec) : Object.fromEntries(served)
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(result))
}

function makeImage({ repository, layers }: ImageSpec): Image {
  const made = layers.map((spec) => makeBytes(spec))
  const configBytes = makeBytes(JSON.stringify({ architecture: 'amd64', os: 'linux', repository }).padEnd(2048))
  for (const bytes of [configBytes, ...made]) blobs.set(bytes.digest, bytes)
  const describe = (mediaType: string, { digest, size }: Bytes) => ({ mediaType, digest, size })
  const manifest = makeBytes(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: index,
      config: describe(config, configBytes),
      layers: made.map((bytes) => describe(layer, bytes)),
    }),
  )
  manifests.set(manifest.digest, manifest).set(repository, manifest)
  const facts = ({ digest, size }: Bytes) => ({ digest, size })
  return { repository, manifest: facts(manifest), config: facts(configBytes), layers: made.map(facts) }
}

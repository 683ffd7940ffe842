import { parseDigest, quote, type Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { Registry, UploadState } from '../oci/registry.ts'
import { apiVersion, type Call, type ReplyHeaders } from './call.ts'
import type { Place } from './request.ts'
import { uploadBody } from './upload-body.ts'

/** An upload's place: the repository as the client named it, and the session, which is empty before there is one. */
export interface UploadPlace {
  readonly at: Place
  readonly session: string
}

/** Whether the client may pull from a repository, and so may take blobs over from it. */
export type MayRead = (source: RepositoryName) => boolean

/** Everything under `blobs/uploads/`: end-4 to end-6, end-11, end-13, end-14. */
export async function upload(call: Call, registry: Registry, place: UploadPlace, mayRead: MayRead): Promise<Response> {
  const { session } = place
  if (session === '') {
    if (call.method === 'POST') return begin(call, registry, place, mayRead)
    throw wrongMethod(call, 'POST')
  }
  switch (call.method) {
    case 'GET':
    case 'HEAD':
      return progress(call, 204, place, await registry.uploadState(call.name, session))
    case 'PATCH':
      return append(call, registry, place)
    case 'PUT':
      return finish(call, registry, place)
    case 'DELETE':
      await registry.cancelUpload(call.name, session)
      return call.reply(204, apiVersion, null)
  }
  throw wrongMethod(call, 'GET, PATCH, PUT, DELETE')
}

/** A part may be as short as it likes. */
const anyLength = { 'OCI-Chunk-Min-Length': '1' }

async function begin(call: Call, registry: Registry, place: UploadPlace, mayRead: MayRead): Promise<Response> {
  const { query } = call
  const algorithm = query.get('digest-algorithm')
  if (algorithm !== null && algorithm !== 'sha256' && algorithm !== 'sha512') {
    const message = `digest-algorithm must be sha256 or sha512, saw ${quote(algorithm)}`
    throw new RegistryError('DIGEST_INVALID', message)
  }
  const mount = query.get('mount')
  if (mount !== null) {
    const digest = parseDigest(mount)
    if (await registry.mountBlob(call.name, digest, mayRead)) return stored(call, place, digest)
  }
  const whole = mount === null ? query.get('digest') : null
  if (whole === null) return progress(call, 202, place, await registry.openUpload(call.name), anyLength)
  return pushWhole(call, registry, place, parseDigest(whole))
}

/** end-4b: the blob in one request, as oras and helm send it. */
async function pushWhole(call: Call, registry: Registry, place: UploadPlace, digest: Digest): Promise<Response> {
  const body = uploadBody(call)
  const { session } = await registry.openUpload(call.name, body.size)
  try {
    await registry.finishUpload(call.name, session, digest, body)
  } catch (error) {
    // The client never learns of this session.
    await registry.cancelUpload(call.name, session).catch(() => {})
    throw error
  }
  return stored(call, place, digest)
}

async function append(call: Call, registry: Registry, place: UploadPlace): Promise<Response> {
  const append = () => registry.appendUpload(call.name, place.session, uploadBody(call))
  return progress(call, 202, place, await withOffset(call, registry, place, append))
}

async function finish(call: Call, registry: Registry, place: UploadPlace): Promise<Response> {
  const asked = call.query.get('digest')
  if (asked === null) {
    throw new RegistryError('DIGEST_INVALID', 'the request that ends an upload must have ?digest=')
  }
  const digest = parseDigest(asked)
  const body = call.hasBody ? uploadBody(call) : undefined
  await withOffset(call, registry, place, () => registry.finishUpload(call.name, place.session, digest, body))
  return stored(call, place, digest)
}

/** Tells a client that is out of step where to go on. */
async function withOffset<T>(call: Call, registry: Registry, place: UploadPlace, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (!(cause instanceof RegistryError) || cause.code !== 'RANGE_INVALID') throw cause
    const { size } = await registry.uploadState(call.name, place.session)
    const headers = { Location: locationOf(call, place), Range: received(size) }
    throw new RegistryError('RANGE_INVALID', cause.message, { cause, headers })
  }
}

function progress(
  call: Call,
  status: number,
  { at }: UploadPlace,
  { session, size }: UploadState,
  more: ReplyHeaders = {},
): Response {
  const headers: ReplyHeaders = {
    ...more,
    Location: locationOf(call, { at, session }),
    Range: received(size),
    'Docker-Upload-UUID': session,
    ...apiVersion,
    ...(status === 202 && { 'Content-Length': '0' }),
  }
  return call.reply(status, headers, null)
}

function stored(call: Call, { at }: UploadPlace, digest: Digest): Response {
  const headers = { Location: call.urlOf(at, `blobs/${digest}`), 'Docker-Content-Digest': digest, ...apiVersion }
  return call.reply(201, { ...headers, 'Content-Length': '0' }, null)
}

const locationOf = (call: Call, { at, session }: UploadPlace): string => call.urlOf(at, `blobs/uploads/${session}`)

/** Inclusive, and so unable to say nothing; `0-0` is what clients expect then. */
const received = (size: number): string => `0-${Math.max(0, size - 1)}`

export function wrongMethod(call: Call, allowed: string): RegistryError {
  const headers = { Allow: allowed }
  return new RegistryError('UNSUPPORTED', `method must be one of ${allowed} here, saw ${call.method}`, { headers })
}

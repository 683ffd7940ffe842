import { createHash } from 'node:crypto'
import { fetchRaw, type Received, type Sent } from './http.ts'
import { startBerth, type BerthOptions, type RunningBerth } from './start.ts'

export const ociManifest = 'application/vnd.oci.image.manifest.v1+json'
export const ociIndex = 'application/vnd.oci.image.index.v1+json'

/** Berth with the namespace `team`, to which everybody may push. */
export function startHosting(options: BerthOptions = {}): Promise<RunningBerth> {
  return startBerth({ access: { anonymous: 'push' }, hosted: { namespaces: ['team'] }, ...options })
}

export const sha256 = (bytes: string | Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`
export const sha512 = (bytes: string | Uint8Array): string =>
  `sha512:${createHash('sha512').update(bytes).digest('hex')}`

/** A client that pushes to one repository, and shows what came back. */
export class Pusher {
  readonly #url: string
  readonly #name: string
  readonly #headers: Record<string, string>

  /** `headers`: sent with each request. */
  constructor(url: string, name = 'team/app', headers: Record<string, string> = {}) {
    this.#url = url
    this.#name = name
    this.#headers = headers
  }

  send(method: string, path: string, sent: Sent = {}): Promise<Received> {
    const headers = { ...this.#headers, ...sent.headers }
    return fetchRaw(`${this.#url}/v2/${this.#name}/${path}`, { ...sent, method, headers })
  }

  /** The location of a new upload session, as a URL. */
  async open(): Promise<string> {
    const { headers } = await this.send('POST', 'blobs/uploads/')
    return this.#url + headers.location!
  }

  blob(bytes: string | Uint8Array, digest = sha256(bytes)): Promise<Received> {
    return this.send('POST', `blobs/uploads/?digest=${digest}`, { body: bytes, headers: lengthOf(bytes) })
  }

  manifest(reference: string, content: object | string, mediaType = ociManifest): Promise<Received> {
    const body = typeof content === 'string' ? content : JSON.stringify(content)
    return this.send('PUT', `manifests/${reference}`, { body, headers: { 'content-type': mediaType } })
  }

  /** An image of these layers, pushed whole. Returns its manifest's digest. */
  async image(tag: string, ...layers: (string | Uint8Array)[]): Promise<string> {
    for (const bytes of ['{}', ...layers]) expectStatus(await this.blob(bytes), 201)
    const answer = await this.manifest(tag, imageOf('{}', ...layers))
    expectStatus(answer, 201)
    return answer.headers['docker-content-digest'] as string
  }

  async status(path: string): Promise<number> {
    return (await this.send('GET', path)).status
  }
}

export function lengthOf(bytes: string | Uint8Array) {
  return { 'content-length': Buffer.byteLength(bytes), 'content-type': 'application/octet-stream' }
}

export function descriptor(bytes: string | Uint8Array, mediaType = 'application/octet-stream') {
  return { mediaType, digest: sha256(bytes), size: Buffer.byteLength(bytes) }
}

export function imageOf(config: string, ...layers: (string | Uint8Array)[]) {
  return {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: descriptor(config, 'application/vnd.oci.image.config.v1+json'),
    layers: layers.map((bytes) => descriptor(bytes, 'application/vnd.oci.image.layer.v1.tar')),
  }
}

function expectStatus(answer: Received, status: number): void {
  if (answer.status !== status) throw new Error(`wanted ${status}, saw ${answer.status}: ${answer.text()}`)
}

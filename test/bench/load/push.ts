import { createHash } from 'node:crypto'
import { Connection, expectSuccess } from './connection.ts'

/** How clients send a layer: containerd and BuildKit with the PUT that ends the upload, docker and podman with a PATCH before it. */
export type PushForm = 'PUT' | 'PATCH'

export const manifestType = 'application/vnd.oci.image.manifest.v1+json'

const nothing = new Uint8Array(0)

/** Pushes a blob; returns its size. */
export async function pushBlob(
  connection: Connection,
  { repository, body, digest }: { repository: string; body: Uint8Array; digest: string },
  form: PushForm = 'PUT',
): Promise<number> {
  const send = async (method: 'POST' | 'PATCH' | 'PUT', path: string, bytes: Uint8Array) =>
    expectSuccess(await connection.send(method, path, bytes), path).location ?? ''
  let location = await send('POST', `/v2/${repository}/blobs/uploads/`, nothing)
  if (form === 'PATCH') location = await send('PATCH', location, body)
  const end = `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`
  await send('PUT', end, form === 'PUT' ? body : nothing)
  return body.length
}

export interface ManifestLoad {
  url: string
  repository: string
  connections: number
  seconds: number
  /** A manifest that nobody has seen before. */
  manifest: () => { tag: string; bytes: Uint8Array }
}

/** Puts manifests, each under a tag of its own, for some time. Returns how many. */
export async function putManifests({ url, repository, connections, seconds, manifest }: ManifestLoad): Promise<number> {
  const end = performance.now() + seconds * 1000
  let done = 0
  const client = async () => {
    const connection = new Connection(url)
    while (performance.now() < end) {
      const { tag, bytes } = manifest()
      const path = `/v2/${repository}/manifests/${tag}`
      expectSuccess(await connection.send('PUT', path, bytes, manifestType), path)
      done++
    }
    connection.close()
  }
  await Promise.all(Array.from({ length: connections }, client))
  return done
}

export const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

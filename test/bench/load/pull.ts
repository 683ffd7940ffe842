import { blobPath, manifestPath, type Image } from '../servers/upstream.ts'
import { Connection, expectSuccess } from './connection.ts'

/** dockerd, containerd and podman fetch so many layers at once. */
const atOnce = 3

/** Pulls an image as container engines do; returns the milliseconds it took. */
export async function pull(url: string, image: Image): Promise<number> {
  const started = performance.now()
  const first = new Connection(url)
  const byDigest = `/v2/${image.repository}/manifests/${image.manifest.digest}`
  for (const path of [manifestPath(image), byDigest]) expectSuccess(await first.get(path), path)
  const waiting = [image.config, ...image.layers].map((content) => blobPath(image, content))
  const worker = async () => {
    const connection = new Connection(url)
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      expectSuccess(await connection.get(path), path)
    }
    connection.close()
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  first.close()
  return performance.now() - started
}

import path from 'node:path'
import { answers, freePort, pin, run, script } from './process.ts'

/** What a connection gives; nothing set means as fast as it goes. */
export interface Shape {
  bytesPerSecond?: number
  /** Milliseconds before each answer. */
  latency?: number
}

export interface ImageSpec {
  repository: string
  layers: { size: number; seed: number }[]
}

export interface Content {
  digest: string
  size: number
}

export interface Image {
  repository: string
  /** What every tag of the repository means. */
  manifest: Content
  /** 2 KiB. */
  config: Content
  layers: Content[]
}

/** What was sent of one blob or manifest, over how many answers. */
export interface Served {
  bodies: number
  bytes: number
}

export interface FastUpstream {
  readonly url: string
  shape(shape: Shape): Promise<void>
  /** Content that no other image has. */
  image(...sizes: number[]): Promise<Image>
  served(digest: string): Promise<Served>
  /** CPU seconds spent so far, all threads. */
  cpuSeconds(): number
  /** Moves it to another core than that of the load, where it begins. */
  pin(core: 'load' | 'all'): void
  stop(): Promise<void>
}

export async function startFastUpstream(folder: string): Promise<FastUpstream> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const output = path.join(folder, 'upstream.log')
  const command = script('./fast-upstream.ts', String(port))
  const upstream = run(command, { core: 'load', output })
  await answers(`${url}/v2/`, output)
  const order = async (what: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(`${url}/_bench/${what}`, { method: 'POST', body: JSON.stringify(body ?? {}) })
    return answer.json()
  }
  let seed = 1
  return {
    url,
    shape: async (shape) => void (await order('shape', shape)),
    async image(...sizes) {
      const layers = sizes.map((size) => ({ size, seed: seed++ }))
      return (await order('image', { repository: `bench/image-${seed}`, layers })) as Image
    },
    async served(digest) {
      return ((await order('served')) as Record<string, Served>)[digest] ?? { bodies: 0, bytes: 0 }
    },
    cpuSeconds: () => upstream.cpuSeconds(),
    pin: (core) => pin(upstream.pid, core),
    stop: () => upstream.stop(),
  }
}

export const manifestPath = (image: Image): string => `/v2/${image.repository}/manifests/latest`
export const blobPath = (image: Image, { digest }: Content): string => `/v2/${image.repository}/blobs/${digest}`

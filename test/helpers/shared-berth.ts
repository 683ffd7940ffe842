import { afterAll, beforeAll } from 'vitest'
import type { Content } from './content.ts'
import { startBerth, type RunningBerth } from './start.ts'
import { startUpstream, type Upstream } from './upstream.ts'

export interface SharedBerth {
  /** Berth's, once the tests run. */
  readonly url: string
  readonly upstream: Upstream
}

/** Berth for all tests of a file, in front of an upstream with this content that passes for Docker Hub. */
export function shareBerth(content: Content): SharedBerth {
  let upstream: Upstream
  let berth: RunningBerth
  beforeAll(async () => {
    upstream = await startUpstream({ content })
    berth = await startBerth({ upstreams: [{ name: 'docker.io', url: upstream.url }] })
  })
  afterAll(async () => {
    await berth.stop()
    await upstream.stop()
  })
  return {
    get url() {
      return berth.url
    },
    get upstream() {
      return upstream
    },
  }
}

import type { Digest } from './digest.ts'

/** What one piece of content says of another (image-spec, descriptor.md). Only what Berth reads is named. */
export interface Descriptor {
  mediaType: string
  digest: Digest
  /** Bytes. */
  size: number
  artifactType?: string
  annotations?: Record<string, string>
  platform?: { os?: string; architecture?: string; variant?: string }
  /** Where a non-distributable layer lies; clients fetch it themselves, Berth never does. */
  urls?: string[]
}

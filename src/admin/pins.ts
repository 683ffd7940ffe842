import { RegistryError } from '../oci/errors.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { Metadata, TagPin } from '../metadata/metadata.ts'

/** Reads what somebody typed as a pattern of pinned tags. Throws TAG_INVALID. */
export function parsePinPattern(text: string): string {
  if (/^[a-z0-9.-]+(?::\d+)?\/[\w./*-]+(?::[\w.*-]+)?$/.test(text) && text.length <= 300) return text
  throw new RegistryError(
    'TAG_INVALID',
    'a pin must be a pattern of UPSTREAM/REPOSITORY:TAG such as docker.io/library/node:20*',
  )
}

/** A cached tag that is pinned to a digest, under the whole name of its repository. */
export type PinnedTag = Omit<TagPin, 'registry'>

export async function pinnedTags({ pins }: Metadata): Promise<PinnedTag[]> {
  return (await pins.listTags()).map(({ registry, name, ...pin }) => ({
    ...pin,
    name: `${registry}/${name}` as RepositoryName,
  }))
}

import { RegistryError } from '../oci/errors.ts'

/** Reads what somebody typed as a pattern of pinned tags. Throws TAG_INVALID. */
export function parsePinPattern(text: string): string {
  if (/^[a-z0-9.-]+(?::\d+)?\/[\w./*-]+(?::[\w.*-]+)?$/.test(text) && text.length <= 300) return text
  throw new RegistryError(
    'TAG_INVALID',
    'a pin must be a pattern of UPSTREAM/REPOSITORY:TAG such as docker.io/library/node:20*',
  )
}

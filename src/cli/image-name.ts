import { CommandError } from './io.ts'

export interface ImageName {
  /** As clients name the repository. */
  readonly name: string
  /** A tag or a digest. */
  readonly reference: string | undefined
}

/** Reads `NAME`, `NAME:TAG` or `NAME@DIGEST`. Whether these are well-formed is the server's to say. */
export function parseImageName(text: string): ImageName {
  const at = text.indexOf('@')
  if (at >= 0) return { name: text.slice(0, at).replace(/:[^/]*$/, ''), reference: text.slice(at + 1) }
  const colon = text.lastIndexOf(':')
  if (colon > text.lastIndexOf('/')) return { name: text.slice(0, colon), reference: text.slice(colon + 1) }
  return { name: text, reference: undefined }
}

/** The same where a tag or a digest must be named: what a command does to one image it must not do to another. */
export function parseImage(text: string): { name: string; reference: string } {
  const { name, reference } = parseImageName(text)
  if (reference) return { name, reference }
  throw new CommandError(`an image must be NAME:TAG or NAME@DIGEST, saw ${JSON.stringify(text)}`, { exitCode: 2 })
}

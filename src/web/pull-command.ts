import type { ImageKind } from '../admin/admin.ts'
import { isTag, splitName, type Reference, type RepositoryName } from '../oci/reference.ts'

/** Where clients find this server. */
export interface Door {
  /** The host and port that they name. */
  readonly host: string
  readonly isSecure: boolean
}

export interface Pulled {
  readonly name: RepositoryName
  readonly reference: Reference | undefined
  readonly kind: ImageKind
}

/** What somebody types to get it, by the client that takes such a thing. */
export function pullCommand({ host, isSecure }: Door, { name, reference, kind }: Pulled): string {
  const at = `${host}/${name}`
  if (kind === 'image') return `docker pull ${at}${behind(reference)}`
  // Docker's and Podman's settings say where there is no TLS; these ask for it each time.
  const plain = isSecure ? '' : ' --plain-http'
  if (kind === 'artifact') return `oras pull ${at}${behind(reference) || ':latest'}${plain}`
  if (reference === undefined || !isTag(reference)) return `helm pull oci://${at}${behind(reference)}${plain}`
  // Helm pushes a version's + as _, for no tag may have it.
  return `helm pull oci://${at} --version ${reference.replaceAll('_', '+')}${plain}`
}

/** The same for a cached image, by its own name: where this server is the client's mirror, or at a host of one upstream. */
export function mirroredCommand(host: string, { name, reference }: Pulled): string {
  return `docker pull ${host}/${splitName(name).name}${behind(reference)}`
}

/** `virtualHost` as clients name it: with the port of the door, where it has none of its own. */
export function besides(virtualHost: string, { host }: Door): string {
  const port = /:\d+$/.exec(host)?.[0] ?? ''
  return /:\d+$/.test(virtualHost) ? virtualHost : virtualHost + port
}

/** latest goes without saying. */
function behind(reference: Reference | undefined): string {
  if (reference === undefined || reference === 'latest') return ''
  return `${isTag(reference) ? ':' : '@'}${reference}`
}

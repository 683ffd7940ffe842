import type { RepositoryName } from '../oci/reference.ts'

/** The namespace that a hosted repository belongs to: the first component of its name. */
export function namespaceOf(name: RepositoryName): string {
  return name.split('/', 1)[0]!
}

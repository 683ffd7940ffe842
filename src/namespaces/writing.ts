import { RegistryError } from '../oci/errors.ts'
import type { RepositoryName } from '../oci/reference.ts'
import type { RegistryWriter } from '../oci/registry.ts'

/** The pushing half: names that are hosted go to the hosted registry, and all others are told what would make them so. */
export function writing(
  hosted: RegistryWriter | undefined,
  isHosted: (name: RepositoryName) => boolean,
): RegistryWriter {
  const at = (name: RepositoryName): RegistryWriter => {
    if (hosted && isHosted(name)) return hosted
    throw notHosted(name)
  }
  return {
    openUpload: async (name, size) => at(name).openUpload(name, size),
    uploadState: async (name, session) => at(name).uploadState(name, session),
    appendUpload: async (name, session, body) => at(name).appendUpload(name, session, body),
    finishUpload: async (name, session, digest, body) => at(name).finishUpload(name, session, digest, body),
    cancelUpload: async (name, session) => at(name).cancelUpload(name, session),
    mountBlob: async (name, digest, mayRead) => at(name).mountBlob(name, digest, mayRead),
    putManifest: async (name, push) => at(name).putManifest(name, push),
    deleteManifest: async (name, reference, by) => at(name).deleteManifest(name, reference, by),
    deleteBlob: async (name, digest) => at(name).deleteBlob(name, digest),
    listRepositories: async (query) => (hosted ? hosted.listRepositories(query) : []),
  }
}

function notHosted(name: RepositoryName): RegistryError {
  const [upstream, first] = name.split('/')
  return new RegistryError(
    'DENIED',
    `cannot change ${name}: it belongs to the upstream ${upstream}, which is only read here. Push there itself, or make ` +
      `a namespace of this registry (berth namespace add ${first}) and push to that`,
  )
}

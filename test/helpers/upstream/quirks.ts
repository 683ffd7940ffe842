/** What a registry does in its own way. `quirksOf` has the known ones by name. */
export interface Quirks {
  /** No Docker-Content-Digest. */
  noDigest?: boolean
  /** The hex of Docker-Content-Digest is in upper case. */
  upperHex?: boolean
  /** No Content-Length, neither on HEAD; bodies are chunked. */
  chunked?: boolean
  /** Range is ignored and not advertised: 200 with everything. */
  noRange?: boolean
  /** Several ranges at once are answered 400; else they are ignored. */
  multiRange400?: boolean
  /** More blobs than this at once are answered 429, to be asked for in a minute. */
  connections?: number
  /** HEAD of a blob is answered with this status. */
  headBlob?: number
  /** HEAD of a manifest is answered with this status. */
  headManifest?: number
  /** HEAD of a manifest is answered 200 and nothing about it. */
  bareHead?: boolean
  /** Bodies are compressed when the client accepts gzip. */
  gzip?: boolean
  /** How tags are paged: `last=` (the specification), `next_page=` with an opaque cursor, or pages without a Link. */
  paging?: 'last' | 'opaque' | 'noLink'
  /** Link names scheme and host. */
  absoluteLink?: boolean
  /** Tags on a page when the client does not say `n`. */
  pageSize?: number
  /** More tags on a page than this are an error to ask for. */
  mostTags?: number
  /** `n` is ignored, and a list has keys of its own. */
  ownTagList?: boolean
  /** No referrers API (404); the fallback tag `sha256-<hex>` is there instead. */
  noReferrers?: boolean
  /** A repository that does not exist is answered 401, like a private one. */
  missing401?: boolean
  /** A repository that does not exist is answered 403. */
  missing403?: boolean
  /** The token server answers 403 for repositories that the user may not read or that do not exist. */
  token403?: boolean
  /** What the bodies of errors look like. */
  errorBodies?: 'html' | 'text' | 'empty' | 'unknownCode'
  /** A new ETag at every answer. */
  changingETag?: boolean
  noETag?: boolean
  /** Content-Type of every manifest. */
  manifestType?: string
  /** The API is below this path and knows nothing of it: what it links to stands at the root. */
  below?: string
}

export const quirksOf = {
  ecr: { noDigest: true, mostTags: 1000 },
  ecrPublic: { headBlob: 401 },
  gheDocker: { headManifest: 405 },
  artifactory: { below: '/artifactory/api/docker/local', pageSize: 1 },
  gcr: { ownTagList: true },
  gitlab: { token403: true },
  harbor: { errorBodies: 'unknownCode' },
  ghcr: { noReferrers: true, token403: true, errorBodies: 'empty' },
  hub: { missing401: true },
  quay: { paging: 'opaque', pageSize: 50, missing401: true },
  redhat: { noDigest: true, gzip: true, errorBodies: 'unknownCode' },
  harborOld: { bareHead: true },
  artifactRegistry: { multiRange400: true },
} as const satisfies Record<string, Quirks>

import type { Reference } from '../oci/reference.ts'
import type { Manifest, ManifestHead, Registry, Soon } from '../oci/registry.ts'
import { apiVersion, type Call, type ReplyHeaders } from './call.ts'

/** Headers of manifests that were served before: a warm one is the same object for as long as it is in memory. */
const knownHeaders = new WeakMap<ManifestHead, ReplyHeaders>()

/** end-3: GET and HEAD of a manifest. Answered without waiting a turn where it is in memory. */
export function manifest(call: Call, registry: Registry, reference: Reference): Soon<Response> {
  const found = call.head ? registry.headManifest(call.name, reference) : registry.getManifest(call.name, reference)
  return found instanceof Promise ? found.then((manifest) => answer(call, manifest)) : answer(call, found)
}

function answer(call: Call, found: ManifestHead | Manifest): Response {
  const headers = headersOf(found)
  if (call.has(found.digest)) return call.reply(304, headers, null)
  return call.reply(200, headers, 'bytes' in found ? found.bytes : null)
}

function headersOf(found: ManifestHead | Manifest): ReplyHeaders {
  const known = knownHeaders.get(found)
  if (known) return known
  const headers: ReplyHeaders = {
    'Content-Type': found.mediaType,
    'Content-Length': String(found.size),
    'Docker-Content-Digest': found.digest,
    ETag: `"${found.digest}"`,
    ...apiVersion,
  }
  if ('stale' in found && found.stale) return { ...headers, ...staleHeaders(found.stale.since, found.stale.reason) }
  knownHeaders.set(found, headers)
  return headers
}

/** 110 for caches; 299, the distribution specification's, which clients print. */
function staleHeaders(since: number, reason: string): ReplyHeaders {
  const age = String(Math.max(0, Math.round((Date.now() - since) / 1000)))
  const text = `served from the cache, unchecked: ${reason}`.replace(/[^\x20-\x7e]|["\\]/g, ' ').slice(0, 1000)
  return { Age: age, Warning: ['110 berth "Response is Stale"', `299 - "${text}"`] }
}

import { isAscii } from 'node:buffer'
import { RegistryError } from '../oci/errors.ts'
import type { Reference, Tag } from '../oci/reference.ts'
import type { Manifest, ManifestHead, Registry, Soon } from '../oci/registry.ts'
import { apiVersion, type Call, type ReplyHeaders } from './call.ts'

interface Ready {
  headers: ReplyHeaders
  /** As text where it is ASCII: Node then sends head and body in one piece, which a third of all the work hangs on. */
  body: string | Uint8Array<ArrayBuffer> | null
  /** Of a stale one: since when nobody could tell. Its age is another at each answer. */
  since?: number | undefined
}

/** Answers made before: a warm manifest is the same object for as long as it is in memory. */
const made = new WeakMap<ManifestHead, Ready>()

/** end-3: GET and HEAD of a manifest. Answered without waiting a turn where it is in memory. */
export function manifest(call: Call, registry: Registry, reference: Reference): Soon<Response> {
  const found = call.head
    ? registry.headManifest(call.name, reference, call)
    : registry.getManifest(call.name, reference, call)
  return found instanceof Promise ? found.then((manifest) => answer(call, manifest)) : answer(call, found)
}

/** GET and HEAD of `<tag>@<date>`: what the tag meant then, as far as it was seen here. */
export async function dated(
  call: Call,
  registry: Registry,
  { tag, time }: { tag: Tag; time: number },
): Promise<Response> {
  const history = (await registry.tagHistory?.(call.name, tag, call)) ?? []
  const then = history.find(({ seenAt }) => seenAt <= time)
  if (then?.digest) return manifest(call, registry, then.digest)
  const first = history.at(-1)
  const known = first ? `it was first seen here at ${new Date(first.seenAt).toISOString()}` : 'it was never seen here'
  const why = then ? `it had been deleted at ${new Date(then.seenAt).toISOString()}` : known
  throw new RegistryError(
    'MANIFEST_UNKNOWN',
    `what ${tag} meant at ${new Date(time).toISOString()} is not known: ${why}`,
  )
}

function answer(call: Call, found: ManifestHead | Manifest): Response {
  const { headers: ready, body, since } = made.get(found) ?? make(found)
  const headers = since === undefined ? ready : { ...ready, Age: ageSince(since, call.now()) }
  return call.has(found.digest) ? call.reply(304, headers, null) : call.reply(200, headers, body)
}

function make(found: ManifestHead | Manifest): Ready {
  const stale = 'stale' in found && found.stale
  const headers: ReplyHeaders = {
    'Content-Type': found.mediaType,
    'Content-Length': String(found.size),
    'Docker-Content-Digest': found.digest,
    ETag: `"${found.digest}"`,
    ...apiVersion,
    ...(stale && { Warning: warnings(stale.reason) }),
  }
  const since = stale ? stale.since : undefined
  const ready = { headers, body: 'bytes' in found ? bodyOf(found.bytes) : null, since }
  made.set(found, ready)
  return ready
}

function bodyOf(bytes: Uint8Array<ArrayBuffer>): string | Uint8Array<ArrayBuffer> {
  return isAscii(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1') : bytes
}

/** In seconds, as RFC 9111 counts it. */
const ageSince = (since: number, now: number): string => String(Math.max(0, Math.round((now - since) / 1000)))

/** 110 for caches; 299, the distribution specification's, which clients print. */
function warnings(reason: string): string[] {
  const text = `served from the cache, unchecked: ${reason}`.replace(/[^\x20-\x7e]|["\\]/g, ' ').slice(0, 1000)
  return ['110 berth "Response is Stale"', `299 - "${text}"`]
}

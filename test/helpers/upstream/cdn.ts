import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Bytes } from '../bytes.ts'
import { textAnswer, type Answer } from './answer.ts'
import type { Quirks } from './quirks.ts'
import { blobAnswer } from './read-api.ts'

/** Blobs come from another host (another port): GETs are redirected there with a signed URL. */
export interface CdnOptions {
  /** A relative Location stays on the registry's own port. */
  redirect?: 'absolute' | 'relative'
  /** 307 if not given. */
  status?: 301 | 302 | 303 | 307 | 308
  /** HEADs are redirected too, which the CDN refuses (its URLs are signed for GET). */
  redirectHead?: boolean
  /** Seconds that a signed URL lives; 300 if not given. */
  ttl?: number
  bytesPerSecond?: number
}

/** The signed URLs that are good, and what they lead to. */
export class Cdn {
  readonly #signed = new Map<string, { digest: string; bytes: Bytes; expires: number }>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  expireUrls(): void {
    this.#signed.clear()
  }

  /** The redirect that takes the place of a blob's answer. */
  redirect(answer: Answer & { digest: string; body: { bytes: Bytes } }, options: CdnOptions, origin: string): Answer {
    const { digest, body } = answer
    const signature = randomBytes(16).toString('hex')
    const expires = this.#now() + (options.ttl ?? 300) * 1000
    this.#signed.set(signature, { digest, bytes: body.bytes, expires })
    const base = options.redirect === 'relative' ? '/storage' : `${origin}/storage`
    const location = `${base}/blobs/${digest}?expires=${Math.floor(expires / 1000)}&signature=${signature}`
    return textAnswer(options.status ?? 307, `see ${digest}`, { location })
  }

  isOurs(url: string | undefined): boolean {
    return url?.startsWith('/storage/blobs/') ?? false
  }

  answer(request: IncomingMessage, quirks: Quirks, own: boolean): Answer {
    if (!own && request.headers.authorization !== undefined) {
      return refuse(400, 'InvalidArgument', 'Only one auth mechanism allowed')
    }
    const url = new URL(`http://cdn${request.url ?? '/'}`)
    const signed = this.#signed.get(url.searchParams.get('signature') ?? '')
    if (!signed || signed.expires <= this.#now() || !url.pathname.endsWith(signed.digest) || request.method !== 'GET') {
      return refuse(403, 'AccessDenied', 'Request has expired or is not signed for this')
    }
    const { headers, ...answer } = blobAnswer(request, signed.digest, signed.bytes, quirks)
    const { 'docker-content-digest': _, ...plain } = headers
    return { ...answer, headers: plain }
  }
}

function refuse(status: number, code: string, message: string): Answer {
  const xml = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`
  return textAnswer(status, xml, { 'content-type': 'application/xml' })
}

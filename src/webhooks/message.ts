import { createHmac } from 'node:crypto'
import type { Notice } from './notice.ts'

/** A notice as it is sent: a CloudEvent in structured mode (CloudEvents 1.0.2, JSON format). */
export function formatMessage(
  notice: Notice,
  { id, time, source }: { id: string; time: number; source: string },
): string {
  return JSON.stringify({
    specversion: '1.0',
    id,
    source,
    type: `berth.${notice.type}`,
    time: new Date(time).toISOString(),
    subject: notice.subject,
    datacontenttype: 'application/json',
    data: notice.data,
  })
}

/** What a message that `formatMessage` made is of. */
export function readMessage(body: string): { type: string; subject: string } {
  const { type = '', subject = '' } = JSON.parse(body) as { type?: string; subject?: string }
  return { type, subject }
}

/**
 * The headers by which a receiver knows that a message is ours and new, as Standard Webhooks has them: HMAC-SHA256 over
 * `id.timestamp.body`. A secret `whsec_<base64>` stands for the bytes, any other for itself.
 */
export function signatureHeaders(secret: string, id: string, body: string, now: number): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000))
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret)
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
}

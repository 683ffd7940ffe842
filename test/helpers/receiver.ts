import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { Webhook } from 'standardwebhooks'
import { atTestEnd } from './cleanup.ts'
import { makeFolder } from './folder.ts'
import { eventually } from './open-files.ts'

export interface Message {
  id: string
  type: string
  subject: string
  source: string
  data: Record<string, unknown>
}

/** A server that takes webhooks, and checks each signature with the library that receivers use. */
export class Receiver {
  readonly secret: string
  /** What was taken, in order of arrival. */
  readonly messages: Message[] = []
  /** The `webhook-id` of every attempt, taken or not. */
  readonly attempts: string[] = []
  /** What it answers; 0 for never. */
  status = 204
  url = ''

  constructor(secret: string) {
    this.secret = secret
  }

  take(headers: http.IncomingHttpHeaders, body: string): number {
    this.attempts.push(String(headers['webhook-id']))
    const message = this.#verified(headers, body)
    if (!message) return 400
    if (this.status >= 200 && this.status < 300) this.messages.push(message)
    return this.status
  }

  #verified(headers: http.IncomingHttpHeaders, body: string): Message | undefined {
    try {
      return new Webhook(Buffer.from(this.secret).toString('base64')).verify(body, headers as never) as Message
    } catch {
      return undefined
    }
  }

  /** Waits until this many messages were taken. */
  async received(count: number): Promise<Message[]> {
    await eventually(
      () => this.messages.length >= count,
      () => `${this.messages.length} of ${count} messages came`,
    )
    return this.messages
  }

  async attempted(count: number): Promise<void> {
    await eventually(
      () => this.attempts.length >= count,
      () => `${this.attempts.length} of ${count} attempts came`,
    )
  }
}

/** Stopped when the running test ends. */
export async function startReceiver(secret = 'a secret of the test', port = 0): Promise<Receiver> {
  const receiver = new Receiver(secret)
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const status = receiver.take(request.headers, Buffer.concat(chunks).toString())
      if (status > 0) response.writeHead(status, { location: '/elsewhere' }).end()
    })
  })
  await once(server.listen(port, '127.0.0.1'), 'listening')
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  await atTestEnd(() => {
    server.close()
    server.closeAllConnections()
  })
  return receiver
}

/** The settings of a hook for this receiver. */
export function hookOf(receiver: Receiver, more: object = {}) {
  const secretFile = path.join(makeFolder(), 'secret')
  writeFileSync(secretFile, `${receiver.secret}\n`)
  return { name: 'ci', url: receiver.url, secretFile, ...more }
}

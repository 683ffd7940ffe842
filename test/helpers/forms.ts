import { expect } from 'vitest'
import { fetchRaw, type Received } from './http.ts'

/** A browser: it keeps cookies, and sends the forms of pages that it has loaded. */
export class FormSender {
  readonly #url: string
  readonly #cookies = new Map<string, string>()

  constructor(url: string) {
    this.#url = url
  }

  async load(path: string): Promise<string> {
    const answer = await fetchRaw(this.#url + path, { headers: { cookie: this.#cookie } })
    this.#keep(answer)
    return answer.text()
  }

  /** Sends a form of the page at `path`; what the page then answers with. */
  async send(path: string, values: Record<string, string>, to = path): Promise<Received> {
    const token = /name="token" value="([^"]+)"/.exec(await this.load(path))?.[1] ?? ''
    const answer = await fetchRaw(this.#url + to, {
      method: 'POST',
      headers: {
        cookie: this.#cookie,
        origin: this.#url,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ ...values, token }).toString(),
    })
    this.#keep(answer)
    expect([path, values.action, answer.status < 400]).toEqual([path, values.action, true])
    return answer
  }

  async logIn(username: string, password: string): Promise<void> {
    await this.send('/login', { username, password })
    expect([...this.#cookies.keys()]).toContain('berth_session')
  }

  get #cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  #keep({ headers }: Received): void {
    for (const cookie of headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      this.#cookies.set(name, value)
    }
  }
}

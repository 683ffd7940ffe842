import { fetchRaw, type Received } from './http.ts'

/** A page, and where it was found. */
export interface Seen extends Received {
  readonly url: string
}

/** A browser in so far as it keeps cookies, follows redirects and sends forms. */
export class Visitor {
  /** By name; hosts of loopback share them, whatever their ports. */
  readonly cookies = new Map<string, { value: string; path: string; line: string }>()
  /** All that was asked for: `GET http://...`. */
  readonly trail: string[] = []

  get(url: string): Promise<Seen> {
    return this.#ask('GET', url)
  }

  /** Sends the form of a page whose action ends so, with its hidden fields and these. */
  submit(page: Seen, action: string, fields: Record<string, string> = {}): Promise<Seen> {
    const forms = [...page.text().matchAll(/<form([^>]*)>(.*?)<\/form>/gs)].map(([, tag = '', inside = '']) => ({
      action: unescaped(/ action="([^"]*)"/.exec(tag)?.[1] ?? page.url),
      hidden: [...inside.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([input]) => [
        unescaped(/ name="([^"]*)"/.exec(input)?.[1] ?? ''),
        unescaped(/ value="([^"]*)"/.exec(input)?.[1] ?? ''),
      ]),
    }))
    const form = forms.find((one) => one.action.endsWith(action))
    if (!form) throw new Error(`no form ${action} on ${page.url}: ${forms.map((one) => one.action).join(' ')}`)
    const all = new URLSearchParams({ ...(Object.fromEntries(form.hidden) as Record<string, string>), ...fields })
    return this.#ask('POST', new URL(form.action, page.url).href, all.toString(), new URL(page.url).origin)
  }

  /** Goes on by redirects, and by pages that lead on, until one stays; not to where `until` says. */
  async follow(page: Seen, until: (url: string) => boolean = () => false): Promise<Seen> {
    const to = page.headers.location ?? /^0;url=(.*)$/.exec(String(page.headers.refresh ?? ''))?.[1]
    if (to === undefined) return page
    const url = new URL(to, page.url).href
    return until(url) ? { ...page, url } : this.follow(await this.get(url), until)
  }

  async #ask(method: string, url: string, body?: string, origin?: string): Promise<Seen> {
    const target = new URL(url)
    this.trail.push(`${method} ${url}`)
    const cookie = [...this.cookies]
      .filter(([, { path }]) => target.pathname === path || target.pathname.startsWith(path.replace(/\/?$/, '/')))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ')
    const sent = { 'content-type': 'application/x-www-form-urlencoded', ...(origin !== undefined && { origin }) }
    const headers = { ...(cookie !== '' && { cookie }), ...(body !== undefined && sent) }
    const answer = await fetchRaw(url, { method, headers, ...(body !== undefined && { body }) })
    for (const line of answer.headers['set-cookie'] ?? []) this.#keep(line)
    return { ...answer, url }
  }

  #keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    const path = /; ?path=([^;]+)/i.exec(line)?.[1] ?? '/'
    const isGone = /max-age=0/i.test(line) || /expires=thu, 01 jan 1970/i.test(line)
    if (isGone) this.cookies.delete(name)
    else this.cookies.set(name, { value, path, line })
  }
}

function unescaped(text: string): string {
  return text.replaceAll('&#39;', "'").replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&amp;', '&')
}

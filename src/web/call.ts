import { randomBytes } from 'node:crypto'
import { getCookie, setCookie } from 'hono/cookie'
import { visitorOf, type Admin, type AdminContext, type Doorway, type Visitor } from '../admin/admin.ts'
import type { Assets } from './assets.ts'
import { typed } from './format.ts'
import type { Frame } from './layout.tsx'
import type { Readmes } from './readmes.ts'
import type { FormTokens } from './tokens.ts'

export interface WebParts extends Doorway {
  readonly admin: Admin
  readonly assets: Assets
  readonly tokens: FormTokens
  readonly readmes: Readmes
  readonly now: () => number
}

/** Tells one browser from another where nobody is logged in. */
const browserCookie = 'berth_browser'

/** One request for a page: who makes it, and what is around the page. */
export class WebCall {
  readonly visitor: Visitor
  readonly browser: string
  readonly #parts: WebParts
  readonly #c: AdminContext

  readonly mayAdminister: boolean

  private constructor(c: AdminContext, parts: WebParts, who: { visitor: Visitor; mayAdminister: boolean }) {
    this.#c = c
    this.#parts = parts
    this.visitor = who.visitor
    this.mayAdminister = who.mayAdminister
    this.browser = this.#browser()
  }

  static async of(c: AdminContext, parts: WebParts): Promise<WebCall> {
    const visitor = await visitorOf(c, parts)
    return new WebCall(c, parts, { visitor, mayAdminister: await parts.admin.guard.mayAdminister(visitor) })
  }

  get frame(): Frame {
    const { assets, tokens, access, now } = this.#parts
    return {
      assets,
      user: this.visitor.identity.user,
      mayAdminister: this.mayAdminister,
      now: now(),
      providers: access.providers.list,
      host: this.#host,
      isSecure: this.isSecure,
      formToken: tokens.make(this.browser),
    }
  }

  /** The page number of the query, from 1. */
  get page(): number {
    const page = Number(this.#c.req.query('page') ?? 1)
    return Number.isSafeInteger(page) && page > 0 && page < 100_000 ? page : 1
  }

  /** The one of `choices` that the query names; the first where it names none. */
  choice<T extends string>(key: string, choices: readonly [T, ...T[]]): T {
    const given = this.#c.req.query(key)
    return choices.find((choice) => choice === given) ?? choices[0]
  }

  text(key: string): string {
    return typed(this.#c.req.query(key) ?? '').slice(0, 300)
  }

  /** What clients put before an image's name. */
  get #host(): string {
    return this.url === undefined ? 'localhost' : new URL(this.url).host
  }

  #browser(): string {
    const known = getCookie(this.#c, browserCookie)
    if (known !== undefined && /^[\w-]{22}$/.test(known)) return known
    const made = randomBytes(16).toString('base64url')
    setCookie(this.#c, browserCookie, made, { httpOnly: true, sameSite: 'Lax', path: '/', secure: this.isSecure })
    return made
  }

  /** Whether the browser came by https. */
  get isSecure(): boolean {
    return this.url?.startsWith('https:') ?? false
  }

  /** As the browser sees this server, without a slash at its end; undefined when nothing well-formed tells. */
  get url(): string | undefined {
    return this.#parts.forwarded.urlOf(this.#c.env.incoming)
  }
}

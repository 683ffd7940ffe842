import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/**
 * Proof that a form was made by this process for this visitor: a page elsewhere can make a browser send a form here, but
 * cannot know what to put in it. Good until the process ends.
 */
export class FormTokens {
  readonly #key = randomBytes(32)

  /** `visitor` tells browsers apart: what their cookie holds. */
  make(visitor: string): string {
    return createHmac('sha256', this.#key).update(visitor).digest('base64url')
  }

  isRight(token: unknown, visitor: string): boolean {
    if (typeof token !== 'string' || visitor === '') return false
    const [given, right] = [Buffer.from(token), Buffer.from(this.make(visitor))]
    return given.length === right.length && timingSafeEqual(given, right)
  }
}

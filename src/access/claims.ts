import { namePattern } from '../oci/pattern.ts'

/** What an ID token says. */
export type IdClaims = Readonly<Record<string, unknown>>

/** Claim -> pattern of its value, as of repositories: each must be there and fit. */
export type ClaimPatterns = Readonly<Record<string, string>>

/**
 * Tells claims that fit. Groups of values are no value: what to want of them is not said. Nor is what holds a line break. Nor are
 * lists, but with `lists`, where one item that fits is enough.
 */
export function fitting(patterns: ClaimPatterns, { lists = false } = {}): (claims: IdClaims) => boolean {
  const wanted = Object.entries(patterns).map(([claim, pattern]) => ({ claim, fits: namePattern(pattern) }))
  return (claims) =>
    wanted.every(({ claim, fits }) => {
      const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined
      const values: unknown[] = lists && Array.isArray(value) ? value : [value]
      return values.some((one) => {
        const text = ['string', 'number', 'boolean'].includes(typeof one) ? String(one) : undefined
        return text !== undefined && !/\p{Cc}/u.test(text) && fits(text)
      })
    })
}

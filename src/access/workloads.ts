import { createHash } from 'node:crypto'
import { namePattern } from '../oci/pattern.ts'
import type { Identity } from './identity.ts'
import { OpenIdIssuer, type GetJson } from './open-id-issuer.ts'
import { parseLimit, type Limit } from './scope.ts'

/** The user name under which an ID token is given as a password. */
export const workloadUser = 'oidc'

/** Lets in the jobs of a CI platform whose ID tokens say what `claims` want. */
export interface WorkloadRule {
  readonly issuer: string
  readonly audience: string
  /** Claim -> pattern of its value, as of repositories: each must be there and fit. */
  readonly claims: Readonly<Record<string, string>>
  /** The user or organization whose rights it takes. */
  readonly as: string
  /** And how much of them: `PATTERN:ACTION,ACTION`. */
  readonly scopes: readonly string[]
}

/** A job that was let in. */
export interface Workload {
  readonly identity: Identity & { readonly user: string }
  /** For the audit log. */
  readonly subject: string
  /** Its ID token's end, in milliseconds since 1970. */
  readonly expiresAt: number
}

interface Opening {
  /** Changes with the rule. */
  readonly id: string
  readonly rule: WorkloadRule
  readonly limits: readonly Limit[]
  readonly wanted: readonly { claim: string; fits: (value: string) => boolean }[]
}

/** Robots that keep no secret: jobs show the ID token that their platform signed for them. */
export class Workloads {
  readonly #openings: readonly Opening[]
  readonly #issuers: ReadonlyMap<string, OpenIdIssuer>

  constructor(rules: readonly WorkloadRule[], getJson: GetJson, now: () => number) {
    this.#openings = rules.map(openingOf)
    this.#issuers = new Map(rules.map(({ issuer: url }) => [url, new OpenIdIssuer({ url, getJson, now })]))
  }

  /** Whether a login is an ID token's: where there are no rules, none is. */
  takes(user: string, password: string): boolean {
    return user === workloadUser && this.#openings.length > 0 && /^eyJ[\w-]*\.[\w-]*\.[\w-]*$/.test(password)
  }

  /**
   * The job whose ID token this is, by the first rule that fits; only `subject` where none fits, undefined for what is no token
   * of these issuers. Throws UNAVAILABLE (503) while the issuer's keys cannot be had.
   */
  async verify(token: string): Promise<Workload | { readonly subject: string } | undefined> {
    const { decodeJwt } = await import('jose')
    const named = attempt(() => decodeJwt(token).iss)
    const issuer = this.#issuers.get(named ?? '')
    const openings = this.#openings.filter(({ rule }) => rule.issuer === named)
    const claims = await issuer?.verify(
      token,
      openings.map(({ rule }) => rule.audience),
    )
    if (!claims) return undefined
    const subject = `${named} ${claims.sub}`
    const opening = openings.find((one) => fits(one, claims))
    return opening ? { identity: identityOf(opening), subject, expiresAt: claims.exp! * 1_000 } : { subject }
  }

  /** Who a job is that an earlier token let in; undefined once its rule is changed or gone. */
  identity(id: string): Workload['identity'] | undefined {
    const opening = this.#openings.find((one) => one.id === id)
    return opening && identityOf(opening)
  }
}

function openingOf(rule: WorkloadRule): Opening {
  return {
    id: createHash('sha256').update(JSON.stringify(rule)).digest('hex').slice(0, 16),
    rule,
    limits: rule.scopes.flatMap((scope) => parseLimit(scope) ?? []),
    wanted: Object.entries(rule.claims).map(([claim, pattern]) => ({ claim, fits: namePattern(pattern) })),
  }
}

function fits({ rule, wanted }: Opening, claims: Readonly<Record<string, unknown>>): boolean {
  return (
    [claims.aud].flat().includes(rule.audience) &&
    wanted.every((one) => {
      const value = Object.hasOwn(claims, one.claim) ? claims[one.claim] : undefined
      // Lists and groups of values are no value: what to want of them is not said. Nor is what holds a line break.
      const text = ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined
      return text !== undefined && !/\p{Cc}/u.test(text) && one.fits(text)
    })
  )
}

function identityOf({ id, rule, limits }: Opening): Workload['identity'] {
  return { user: rule.as, credential: { kind: 'workload', id }, limits }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

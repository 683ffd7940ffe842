import { createHash } from 'node:crypto'
import { fitting, type ClaimPatterns, type IdClaims } from './claims.ts'
import type { Identity } from './identity.ts'
import { OpenIdIssuer, type GetJson } from './open-id-issuer.ts'
import { parseLimit, type Limit } from './scope.ts'

/** The user name under which an ID token is given as a password. */
export const workloadUser = 'oidc'

/** Lets in the jobs of a CI platform whose ID tokens say what `claims` want. */
export interface WorkloadRule {
  readonly issuer: string
  readonly audience: string
  readonly claims: ClaimPatterns
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
  readonly fits: (claims: IdClaims) => boolean
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
    const opening = openings.find(({ rule, fits }) => [claims.aud].flat().includes(rule.audience) && fits(claims))
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
    fits: fitting(rule.claims),
  }
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

import type { z } from 'zod'
import { listOf, oneOf, text } from './checks.ts'
import { claims, issuer } from './claims.ts'
import { group, option } from './option.ts'
import { secretFile } from './secret-file.ts'

const claimList = () => listOf(claims(), '{ CLAIM: pattern }').prefault([])

const membership = group({
  claims: claims(),
  organization: text('an organization'),
  role: oneOf('owner', 'writer', 'reader'),
})

const provider = group({
  name: text('lower-case letters and digits with - between them', /^[a-z0-9]+(?:-[a-z0-9]+)*$/),
  label: text('what people call it').exactOptional(),
  issuer: issuer(),
  clientId: text('the client id that the provider has given'),
  clientSecretFile: secretFile().exactOptional(),
  scopes: listOf(text('a scope', /^[\x21\x23-\x5b\x5d-\x7e]+$/), 'scopes')
    .refine((scopes) => scopes.includes('openid'), { error: 'scopes with openid among them' })
    .prefault(['openid', 'profile', 'email']),
  userClaim: text('the claim that is the user name here').prefault('preferred_username'),
  allow: claimList(),
  admins: claimList(),
  organizations: listOf(membership, '{ claims, organization, role }').prefault([]),
})

/** The providers at which people log in. */
export const oidc = option(
  listOf(provider, '{ name, issuer, clientId, clientSecretFile }')
    .superRefine(checkNames, { when: () => true })
    .prefault([]),
  'OpenID providers at which people log in on the pages: { name, label, issuer, clientId, clientSecretFile, scopes, userClaim, allow: [{ CLAIM: pattern }], admins: [{ CLAIM: pattern }], organizations: [{ claims, organization, role }] }',
)

/** Addresses name a provider, and accounts are known by issuers. */
function checkNames(providers: { name: string; issuer: string }[], context: z.RefinementCtx): void {
  // Every value may be one that failed its own check.
  if (!Array.isArray(providers)) return
  for (const key of ['name', 'issuer'] as const) {
    providers.forEach((provider, index) => {
      const first = providers.findIndex((other) => other?.[key] === provider?.[key])
      if (first === index || provider?.[key] === undefined) return
      const params = { saw: `${JSON.stringify(provider[key])} again` }
      const message = `${key === 'name' ? 'a name' : 'an issuer'} that no other provider has`
      context.addIssue({ code: 'custom', path: [index, key], message, params })
    })
  }
}

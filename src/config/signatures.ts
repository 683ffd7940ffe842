import { createPublicKey } from 'node:crypto'
import { z } from 'zod'
import { listOf, oneOf, text } from './checks.ts'
import { readText } from './file.ts'
import { quoted } from './mistakes.ts'
import { defaultGroup, group, option } from './option.ts'

const identity = group({
  issuer: text('the URL of an OpenID issuer', /^https?:\/\//),
  subject: text('an e-mail address or a URI').exactOptional(),
  subjectPattern: text('a pattern of an e-mail address or a URI').exactOptional(),
}).superRefine(checkSubject, { when: () => true })

const keyFile = text('a PEM file of a public key').superRefine((file, context) =>
  checkFile(file, context, 'a PEM file of a public key (ECDSA, RSA or Ed25519)', isPublicKey),
)

const rule = group({
  match: text('a pattern of REPOSITORY such as library/*, without a tag', /^[^:]+$/),
  policy: oneOf('warn', 'enforce'),
  keys: listOf(keyFile, 'PEM files of public keys').prefault([]),
  identities: listOf(identity, '{ issuer, subject or subjectPattern }').prefault([]),
}).superRefine(checkSigners, { when: () => true })

/** The option of one upstream. */
export const signatureRules = option(
  listOf(rule, '{ match, policy, keys, identities }').prefault([]),
  'whose signatures content needs, by pattern of REPOSITORY, first match wins: { match, policy: warn or enforce, keys: [PEM files], identities: [{ issuer, subject or subjectPattern }] }',
)

export const signatures = defaultGroup({
  trustedRootFile: option(
    text('a trusted_root.json')
      .superRefine((file, context) => checkFile(file, context, "a trusted root of Sigstore's, as JSON", isTrustedRoot))
      .exactOptional(),
    "the certificates and logs that vouch for identities: a trusted_root.json, Sigstore's or your own",
    { file: true },
  ),
})

/** Identities are nobody's word without a trusted root. */
export function checkTrustedRoot(config: unknown, context: z.RefinementCtx): void {
  const { upstreams, signatures } = config as { upstreams?: unknown; signatures?: { trustedRootFile?: unknown } }
  if (!Array.isArray(upstreams) || signatures?.trustedRootFile !== undefined) return
  const rules = upstreams.flatMap((upstream: { signatures?: unknown } | undefined) => listed(upstream?.signatures))
  if (!rules.some((rule) => listed((rule as Rule | undefined)?.identities).length > 0)) return
  const message = 'a trusted_root.json where a signature rule has identities'
  context.addIssue({ code: 'custom', path: ['signatures', 'trustedRootFile'], message })
}

// Every value may be one that failed its own check.
type Rule = { keys?: unknown; identities?: unknown }

function checkSigners(rule: Rule | undefined, context: z.RefinementCtx): void {
  if (typeof rule !== 'object' || rule === null) return
  if (listed(rule.keys).length + listed(rule.identities).length > 0) return
  context.addIssue({ code: 'custom', message: 'a rule with a key or an identity', params: { saw: 'neither' } })
}

function checkSubject(given: Record<string, unknown> | undefined, context: z.RefinementCtx): void {
  if (typeof given !== 'object' || given === null) return
  const { subject, subjectPattern } = given
  if ((subject === undefined) !== (subjectPattern === undefined)) return
  const saw = subject === undefined ? 'neither' : 'both'
  context.addIssue({ code: 'custom', message: 'an identity with a subject or a subjectPattern', params: { saw } })
}

function checkFile(file: string, context: z.RefinementCtx, must: string, fits: (text: string) => boolean): void {
  const content = readText(file)
  if ('text' in content && fits(content.text)) return
  const saw = 'problem' in content ? content.problem : `${quoted(file)}, which is not`
  context.addIssue({ code: 'custom', message: must, params: { saw } })
}

function isPublicKey(pem: string): boolean {
  // Node takes a public key out of a private one as well; nobody should have to lay that here.
  if (!pem.includes('-----BEGIN PUBLIC KEY-----') && !pem.includes('-----BEGIN RSA PUBLIC KEY-----')) return false
  try {
    return ['ec', 'rsa', 'ed25519'].includes(createPublicKey(pem).asymmetricKeyType ?? '')
  } catch {
    return false
  }
}

function isTrustedRoot(json: string): boolean {
  try {
    const root = JSON.parse(json) as { certificateAuthorities?: unknown; tlogs?: unknown } | null
    return listed(root?.certificateAuthorities).length > 0 && listed(root?.tlogs).length > 0
  } catch {
    return false
  }
}

function listed(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

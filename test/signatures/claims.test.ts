import { describe, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { examine, type Claim } from '../../src/signatures/claims.ts'
import { readSignatureRules } from '../../src/signatures/signatures.ts'
import { makeSigner, payloadOf, predicates, types, type SignatureLayer } from '../helpers/signing.ts'
import { builder, makeSigstore } from '../helpers/sigstore.ts'

// Whether one signature counts for one manifest. All of it is signed with keys made here and verified for real.

const digest = digestOf(Buffer.from('manifest'))
const other = digestOf(Buffer.from('another manifest'))

function claimOf({ mediaType, content, annotations = {} }: SignatureLayer): Claim {
  const bytes = Buffer.from(content)
  return mediaType === types.simple ? { kind: 'simple', payload: bytes, annotations } : { kind: 'bundle', json: bytes }
}

async function signersOf(rule: { keys?: string[]; identities?: object[] }, rootFile?: string) {
  const settings = { match: '**', policy: 'enforce', keys: [], identities: [], ...rule } as const
  const [read] = await readSignatureRules([settings as never], rootFile)
  return read!.signers
}

describe.each(['ec', 'rsa', 'ed25519'] as const)('a signature by a key of kind %s', (kind) => {
  it.each(['simple', 'bundle'] as const)(
    'counts in the %s form, for the manifest it is of and the key that made it',
    async (form) => {
      const signer = makeSigner(kind)
      const claim = claimOf(signer[form](digest))
      const trusted = await signersOf({ keys: [makeSigner('ec', 'first.pub').file, signer.file] })
      expect(examine(claim, digest, trusted)).toEqual({ signer: `${kind}.pub` })
      expect(examine(claim, other, trusted)).toEqual({ against: 'a signature of another manifest' })
      const strangers = await signersOf({ keys: [makeSigner(kind).file] })
      expect(examine(claim, digest, strangers)).toEqual({ against: 'a signature by another key' })
    },
  )
})

describe('a signature by a key', () => {
  it('does not count when its payload was changed after it was made', async () => {
    const signer = makeSigner()
    const signers = await signersOf({ keys: [signer.file] })
    const tampered = claimOf(signer.simple(other, { payload: payloadOf(digest) }))
    expect(examine(tampered, digest, signers)).toEqual({ against: 'a signature by another key' })
    const layer = signer.bundle(other)
    const bundle = JSON.parse(layer.content) as { dsseEnvelope: { payload: string } }
    bundle.dsseEnvelope.payload = (JSON.parse(signer.bundle(digest).content) as typeof bundle).dsseEnvelope.payload
    const swapped = claimOf({ ...layer, content: JSON.stringify(bundle) })
    expect(examine(swapped, digest, signers)).toEqual({ against: 'a signature by another key' })
  })

  it('does not count when it is a statement of something else, such as a scan', async () => {
    const signer = makeSigner()
    const scan = claimOf(signer.bundle(digest, { predicateType: predicates.scan }))
    expect(examine(scan, digest, await signersOf({ keys: [signer.file] }))).toEqual({
      against: 'a statement that is no signature',
    })
  })

  it.each(['', 'not JSON', '[]', '{}', 'null', '{"critical":null}', '{"mediaType":"x"}', '\x00\xff'])(
    'does not count, and breaks nothing, when it is %j',
    async (content) => {
      const signers = await signersOf({ keys: [makeSigner().file] })
      for (const mediaType of [types.simple, types.bundle]) {
        expect(examine(claimOf({ mediaType, content }), digest, signers)).toHaveProperty('against')
      }
    },
  )
})

describe.each(['simple', 'bundle'] as const)('a keyless signature in the %s form', (form) => {
  const by = (identity: object) => ({ identities: [identity] })

  it('counts when its certificate is of a trusted identity, exactly or by a pattern', async () => {
    const sigstore = await makeSigstore()
    const claim = claimOf(await sigstore[form](digest))
    const subjectPattern = 'https://github.com/org/*/.github/workflows/release.yml@refs/tags/*'
    for (const identity of [builder, { issuer: builder.issuer, subjectPattern }]) {
      const found = examine(claim, digest, await signersOf(by(identity), sigstore.rootFile))
      expect(found).toEqual({ signer: `${builder.subject} (${builder.issuer})` })
    }
  })

  it.each([
    ['another subject', { ...builder, subject: 'https://github.com/org/app' }],
    ['a subject that only begins like it', { ...builder, subject: builder.subject.slice(0, -1) }],
    ['another issuer', { ...builder, issuer: 'https://accounts.google.com' }],
    ['a pattern that does not fit', { issuer: builder.issuer, subjectPattern: 'https://github.com/*' }],
  ])('does not count when %s is trusted', async (_what, identity) => {
    const sigstore = await makeSigstore()
    const signers = await signersOf(by(identity), sigstore.rootFile)
    const against = `a signature by ${builder.subject} (${builder.issuer})`
    expect(examine(claimOf(await sigstore[form](digest)), digest, signers)).toEqual({ against })
  })

  const unverified = { against: expect.stringContaining('a certificate that does not verify') as string }

  it('does not count when the certificate had expired at the time it was logged', async () => {
    const sigstore = await makeSigstore()
    const signers = await signersOf(by(builder), sigstore.rootFile)
    expect(examine(claimOf(await sigstore[form](digest, { after: 9 })), digest, signers)).toHaveProperty('signer')
    expect(examine(claimOf(await sigstore[form](digest, { after: 11 })), digest, signers)).toEqual(unverified)
  })

  it('does not count when another authority issued the certificate, or another log has it', async () => {
    const claim = claimOf(await (await makeSigstore())[form](digest))
    const elsewhere = await makeSigstore()
    expect(examine(claim, digest, await signersOf(by(builder), elsewhere.rootFile))).toEqual(unverified)
  })

  it("does not count when the log's key had expired", async () => {
    const sigstore = await makeSigstore({ logUntil: new Date(Date.now() - 3_600_000) })
    const signers = await signersOf(by(builder), sigstore.rootFile)
    expect(examine(claimOf(await sigstore[form](digest)), digest, signers)).toEqual(unverified)
  })

  it('does not count when the certificate is in no log of certificates', async () => {
    const sigstore = await makeSigstore({ certificateLog: false })
    const signers = await signersOf(by(builder), sigstore.rootFile)
    expect(examine(claimOf(await sigstore[form](digest)), digest, signers)).toEqual(unverified)
  })

  it('does not count when the signature is in no log', async () => {
    const sigstore = await makeSigstore()
    const signers = await signersOf(by(builder), sigstore.rootFile)
    const layer = await sigstore[form](digest)
    const unlogged = { ...layer, ...withoutLog(layer) }
    expect(examine(claimOf(unlogged), digest, signers)).toEqual(unverified)
  })

  it('does not count when the time of its log entry was changed', async () => {
    const sigstore = await makeSigstore()
    const signers = await signersOf(by(builder), sigstore.rootFile)
    const layer = await sigstore[form](digest, { after: 11 })
    const time = /("integratedTime":"?)(\d+)/g
    const earlier = (text: string) => text.replace(time, (_all, key: string, at: string) => `${key}${Number(at) - 600}`)
    const annotations = Object.entries(layer.annotations ?? {}).map(([key, value]) => [key, earlier(value)])
    const changed = {
      ...layer,
      content: earlier(layer.content),
      annotations: Object.fromEntries(annotations) as Record<string, string>,
    }
    expect(changed).not.toEqual(layer)
    expect(examine(claimOf(changed), digest, signers)).toEqual(unverified)
  })

  it('does not count where keys alone are trusted', async () => {
    const sigstore = await makeSigstore()
    const signers = await signersOf({ keys: [makeSigner().file] }, sigstore.rootFile)
    const against = 'a signature by a certificate, where a key is trusted'
    expect(examine(claimOf(await sigstore[form](digest)), digest, signers)).toEqual({ against })
  })
})

function withoutLog({ content, annotations }: SignatureLayer): Partial<SignatureLayer> {
  if (annotations) {
    const { 'dev.sigstore.cosign/bundle': _log, ...rest } = annotations
    return { annotations: rest }
  }
  const bundle = JSON.parse(content) as { verificationMaterial: { tlogEntries: unknown[] } }
  bundle.verificationMaterial.tlogEntries = []
  return { content: JSON.stringify(bundle) }
}

it('the fingerprint of signers changes with a key, an identity and the root, and with nothing else', async () => {
  const [one, two] = [makeSigner('ec', 'a.pub'), makeSigner('ec', 'b.pub')]
  const [root, otherRoot] = [(await makeSigstore()).rootFile, (await makeSigstore()).rootFile]
  const fingerprint = async (...given: Parameters<typeof signersOf>) => (await signersOf(...given)).fingerprint
  const all = await Promise.all([
    fingerprint({ keys: [one.file] }),
    fingerprint({ keys: [two.file] }),
    fingerprint({ keys: [one.file], identities: [builder] }, root),
    fingerprint({ keys: [one.file], identities: [builder] }, otherRoot),
    fingerprint({ keys: [one.file], identities: [{ ...builder, subject: 'x' }] }, root),
  ])
  expect(new Set(all).size).toBe(all.length)
  expect(await fingerprint({ keys: [one.file] }, root)).toBe(all[0])
})

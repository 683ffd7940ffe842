import type { DocumentView, ImageView, ReferrerView } from '../../admin/admin.ts'
import { bytes, counted, visible } from '../format.ts'
import { Section } from '../layout.tsx'
import { imagePath } from '../links.ts'
import { Chip, Notice, ShortDigest, Table } from '../parts.tsx'

/** Who signed, by the rule of the repository; and what else is attached, with what it says. */
export function Referrers({ view }: { view: ImageView }) {
  const { name, referrers } = view
  return (
    <Section id="referrers" title="Signatures, SBOMs, provenance">
      <Signatures view={view} />
      {referrers.length === 0 ? (
        <p class="faint">Nothing refers to this image.</p>
      ) : (
        <Table columns={[['What'], ['Digest'], ['It says'], ['Type', 'extra'], ['Size', 'number extra']]}>
          {referrers.map((referrer) => (
            <tr>
              <th scope="row">{kindOf(referrer)}</th>
              <td>
                <ShortDigest digest={referrer.digest} href={imagePath(name, referrer.digest)} />
              </td>
              <td class="break">
                <Says referrer={referrer} />
              </td>
              <td class="break extra">{visible(referrer.type)}</td>
              <td class="number extra">{referrer.size === undefined ? '–' : bytes(referrer.size)}</td>
            </tr>
          ))}
        </Table>
      )}
    </Section>
  )
}

/** By what it turned out to be, where its types say less. */
function kindOf({ kind, documents = [] }: ReferrerView): string {
  const kinds = new Set(documents.map((document) => document.kind))
  const known = (['SBOM', 'provenance'] as const).filter((each) => kinds.has(each))
  return known.length > 0 ? known.join(', ') : kind
}

function Says({ referrer: { documents } }: { referrer: ReferrerView }) {
  if (!documents) return <span class="faint">being read: load the page again in a moment</span>
  if (documents.length === 0) return <span class="faint">–</span>
  return (
    <>
      {documents.map((document) => (
        <div>
          {saying(document)}
          {document.isOfAnother && <Chip tone="warn">about another image</Chip>}
        </div>
      ))}
    </>
  )
}

function saying({ kind, format, packages, builder, source, revision, why }: DocumentView): string {
  if (kind === 'unread') return `not read: ${visible(why ?? '')}`
  if (kind === 'statement') return `a statement of ${visible(format ?? '')}`
  if (kind === 'SBOM') return `${counted(packages ?? 0, 'package')} (${visible(format ?? '')})`
  const from =
    source === undefined ? '' : `from ${visible(source)}${revision === undefined ? '' : ` at ${visible(revision)}`}`
  const by = builder === undefined ? '' : `built by ${visible(builder)}`
  return [by, from].filter((part) => part !== '').join(', ') || 'how it was built'
}

function Signatures({ view: { name, signatures } }: { view: ImageView }) {
  if (!signatures) return <Notice tone="info">Its signatures could not be looked for now.</Notice>
  const { verdict, claims } = signatures
  if (!verdict) {
    if (claims.length === 0) return null
    return (
      <p>
        Signatures name {claims.map(visible).join(', ')}.{' '}
        <span class="faint">No rule here says whose count, so that nobody has verified them.</span>
      </p>
    )
  }
  const { rule, policy, wanted, signer, coveredBy, against } = verdict
  const rules = (
    <>
      the rule <code>{visible(rule)}</code> wants a signature by {visible(wanted)}
    </>
  )
  if (signer !== undefined) {
    return (
      <Notice tone="good">
        Signed by {visible(signer)}: {rules}.
      </Notice>
    )
  }
  if (coveredBy !== undefined) {
    return (
      <Notice tone="good">
        Covered by the signature of <ShortDigest digest={coveredBy} href={imagePath(name, coveredBy)} />: {rules}.
      </Notice>
    )
  }
  return (
    <Notice tone={policy === 'enforce' ? 'bad' : 'warn'}>
      Not signed as it should be: {rules}, saw {visible(against ?? '')}.{' '}
      {policy === 'enforce' ? 'It may not be pulled.' : 'It may be pulled all the same: the rule only warns.'}
    </Notice>
  )
}

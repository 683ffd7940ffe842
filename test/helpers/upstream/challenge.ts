/** Ways to write WWW-Authenticate that the RFC allows and registries have used. */
export type ChallengeForm =
  | 'plain'
  /** `Negotiate, Basic realm="...", Bearer ...` in one header. */
  | 'severalInOne'
  | 'severalHeaders'
  /** The realm last, names in odd case, odd blanks. */
  | 'oddOrder'
  /** A scope of several actions and repositories: commas and blanks in quotes. */
  | 'quotedCommas'
  /** The realm has a query of its own. */
  | 'realmQuery'
  /** The realm is a path. */
  | 'relativeRealm'
  /** No header at all, but at /v2/. */
  | 'pingOnly'

export function formatChallenge(
  scheme: string,
  params: Record<string, string>,
  form: ChallengeForm = 'plain',
): string[] {
  const plain = `${scheme} ${format(params).join(',')}`
  switch (form) {
    case 'plain':
      return [plain]
    case 'severalInOne':
      return [`Negotiate, Digest realm="other, realm", nonce="a\\"b", ${plain}`]
    case 'severalHeaders':
      return ['Negotiate', plain, 'Digest realm="other"']
    case 'oddOrder':
      return [
        `${scheme.toLowerCase()}  ${format(params, (name) => name.toUpperCase())
          .reverse()
          .join(' ,  ')}`,
      ]
    case 'quotedCommas':
      return [`${scheme} ${format({ ...params, ...(params.scope && { scope: `${params.scope},push` }) }).join(',')}`]
    case 'realmQuery':
      return [`${scheme} ${format({ ...params, realm: `${params.realm}?from=challenge` }).join(',')}`]
    case 'relativeRealm':
      return [`${scheme} ${format({ ...params, realm: new URL(params.realm ?? '').pathname }).join(',')}`]
    case 'pingOnly':
      return params.scope === undefined ? [plain] : []
  }
}

function format(params: Record<string, string>, nameOf = (name: string) => name): string[] {
  return Object.entries(params).map(([name, value]) => `${nameOf(name)}="${value}"`)
}

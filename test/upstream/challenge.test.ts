import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseChallenges, type Challenge } from '../../src/upstream/challenge.ts'

// The grammar of RFC 9110, 11.6.1, written as what makes a header instead of what matches one.
const token = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9!#$&'*+.^_`|~-]{0,8}$/)
const value = fc.string({ unit: fc.constantFrom(...'ab ,=":;\\/?&é\t'.split('')), maxLength: 12 })
const challenge = fc
  .tuple(token, fc.uniqueArray(fc.tuple(token, value), { maxLength: 4, selector: ([name]) => name.toLowerCase() }))
  .map(([scheme, params]) => ({ scheme, params }))
const challenges = fc.array(challenge, { minLength: 1, maxLength: 4 })
const blanks = fc.constantFrom('', ' ', '\t', '  ')

type Written = { scheme: string; params: [string, string][] }

function format({ scheme, params }: Written, blank: string, quoteAll: boolean): string {
  const pairs = params.map(([name, value]) => {
    const quoted = `"${value.replace(/["\\]/g, '\\$&')}"`
    return `${name}${blank}=${blank}${quoteAll || !/^[a-z]+$/.test(value) ? quoted : value}`
  })
  return pairs.length === 0 ? scheme : `${scheme} ${pairs.join(`${blank},${blank}`)}`
}

const meant = (list: Written[]): Challenge[] =>
  list.map(({ scheme, params }) => ({
    scheme: scheme.toLowerCase(),
    params: Object.fromEntries(params.map(([name, value]) => [name.toLowerCase(), value])),
  }))

describe('WWW-Authenticate', () => {
  it('is read back as it was written, in one header', () => {
    fc.assert(
      fc.property(challenges, blanks, fc.boolean(), (list, blank, quoteAll) => {
        const header = list.map((each) => format(each, blank, quoteAll)).join(`${blank},${blank}`)
        expect(parseChallenges(header)).toEqual(meant(list))
      }),
    )
  })

  it('is read the same in several headers', () => {
    fc.assert(
      fc.property(challenges, (list) => {
        expect(parseChallenges(list.map((each) => format(each, '', true)))).toEqual(meant(list))
      }),
    )
  })

  it('never throws, whatever it holds, and is read in time that grows with its length', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseChallenges(`Bearer ${text}`)))
    const started = performance.now()
    for (const piece of [' ', ',', '=', '"', 'a', 'a ', 'a=', 'a="', 'Basic ', 'x=y', '\\"', 'a= ']) {
      parseChallenges(piece.repeat(16_000 / piece.length))
    }
    expect(performance.now() - started).toBeLessThan(1000)
  })

  const hub = {
    realm: 'https://auth.docker.io/token',
    service: 'registry.docker.io',
    scope: 'repository:library/node:pull',
  }
  it.each<[string, string | string[] | undefined, Challenge[]]>([
    [
      'Docker Hub',
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/node:pull"',
      [{ scheme: 'bearer', params: hub }],
    ],
    [
      'parameters in another order, names and scheme in odd case',
      'BEARER  Scope="repository:library/node:pull" , SERVICE = "registry.docker.io", realm="https://auth.docker.io/token"',
      [{ scheme: 'bearer', params: hub }],
    ],
    [
      'a scope with commas and blanks',
      'Bearer realm="r",scope="repository:a:pull,push repository:b:pull"',
      [{ scheme: 'bearer', params: { realm: 'r', scope: 'repository:a:pull,push repository:b:pull' } }],
    ],
    [
      'several in one header (ggcr: pickFromMultipleChallenges)',
      'Negotiate, Basic realm="a, b", Bearer realm="https://t/token",service=s',
      [
        { scheme: 'negotiate', params: {} },
        { scheme: 'basic', params: { realm: 'a, b' } },
        { scheme: 'bearer', params: { realm: 'https://t/token', service: 's' } },
      ],
    ],
    [
      'a token68 before another challenge',
      'Negotiate YIIB+/abc==, Bearer realm="r"',
      [
        { scheme: 'negotiate', params: {} },
        { scheme: 'bearer', params: { realm: 'r' } },
      ],
    ],
    [
      'several headers',
      ['Basic realm="a"', 'Bearer realm="r"'],
      [
        { scheme: 'basic', params: { realm: 'a' } },
        { scheme: 'bearer', params: { realm: 'r' } },
      ],
    ],
    ['escapes', 'Basic realm="say \\"hi\\" \\\\ there"', [{ scheme: 'basic', params: { realm: 'say "hi" \\ there' } }]],
    ['an empty value', 'Bearer realm="r",service=""', [{ scheme: 'bearer', params: { realm: 'r', service: '' } }]],
    ['a parameter twice: the first', 'Bearer realm="a",realm="b"', [{ scheme: 'bearer', params: { realm: 'a' } }]],
    [
      'no value without quotes that is none',
      'Bearer realm=https://t/token?a=b',
      [{ scheme: 'bearer', params: { realm: 'https://t/token?a=b' } }],
    ],
    [
      'commas too many',
      ',, Bearer realm="r",, ,service="s",',
      [{ scheme: 'bearer', params: { realm: 'r', service: 's' } }],
    ],
    ['a quote that is not closed', 'Bearer realm="r', [{ scheme: 'bearer', params: {} }]],
    [
      'nvcr.io: no service',
      'Bearer realm="https://nvcr.io/proxy_auth",scope="repository:nvidia/cuda:pull"',
      [{ scheme: 'bearer', params: { realm: 'https://nvcr.io/proxy_auth', scope: 'repository:nvidia/cuda:pull' } }],
    ],
    ['nothing', undefined, []],
    ['an empty header', '', []],
  ])('of %s', (_, header, expected) => {
    expect(parseChallenges(header)).toEqual(expected)
  })
})

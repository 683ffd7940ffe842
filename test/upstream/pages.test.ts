import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextPage } from '../../src/upstream/pages.ts'
import { startReader } from '../helpers/reader.ts'
import { startUpstream, type Quirks } from '../helpers/upstream.ts'

// Paged lists of upstreams (case 47): Link is followed as it came, on the registry's own host.

const base = new URL('https://up.test/v2/org/app/tags/list?n=2')
const next = 'https://up.test/v2/org/app/tags/list?n=2&last=b'

describe('a Link header', () => {
  it.each([
    ['relative', '</v2/org/app/tags/list?n=2&last=b>; rel="next"'],
    ['of a query alone', '<?n=2&last=b>; rel="next"'],
    ['absolute', `<${next}>; rel="next"`],
    ['without quotes', `<${next}>; rel=next`],
    ['in upper case', `<${next}>; REL="NEXT"`],
    ['without blanks', `<${next}>;rel="next"`],
    ['with other parameters', `<${next}>; title="x"; rel="next"; type="a"`],
    ['after another link', `</v2/first>; rel="first", <${next}>; rel="next"`],
  ])('%s leads to the next page', (_, header) => {
    expect(nextPage(header, base)?.href).toBe(next)
  })

  it('may come in several lines', () => {
    expect(nextPage(['</v2/first>; rel="first"', `<${next}>; rel="next"`], base)?.href).toBe(next)
  })

  it('keeps an opaque cursor as it is (quay.io)', () => {
    const cursor = 'gAAAA%2B%3D~x==&n=2'
    expect(nextPage(`</v2/a/tags/list?next_page=${cursor}>; rel="next"`, base)?.search).toBe(`?next_page=${cursor}`)
  })

  it.each([
    ['of another relation', `<${next}>; rel="prev"`],
    ['without a relation', `<${next}>`],
    ['to another host', '<https://evil.test/v2/org/app/tags/list?last=b>; rel="next"'],
    ['to another port', '<https://up.test:8443/v2/org/app/tags/list?last=b>; rel="next"'],
    ['to the same page again', `<${base.href}>; rel="next"`],
    ['to no URL', '<http://>; rel="next"'],
    ['without brackets', `${next}; rel="next"`],
    ['that is empty', ''],
    ['that is not there', undefined],
  ])('%s leads nowhere', (_, header) => {
    expect(nextPage(header, base)).toBeUndefined()
  })

  it('never throws, never leads to another host, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.webUrl(), (text, url) => {
        for (const header of [text, `<${text}>; rel="next"`, `<${url}>; rel="next"`]) {
          expect(nextPage(header, base)?.host ?? base.host).toBe(base.host)
        }
      }),
    )
  })
})

describe('the tags of an upstream', () => {
  const tags = Array.from({ length: 230 }, (_, i) => `v${i}`)
  const image = { blobs: { a: '0' }, manifests: { m: { layers: ['a'] } } }
  const content = { 'org/app': { ...image, tags: Object.fromEntries(tags.map((tag) => [tag, 'm'])) } }

  it.each<[string, Quirks]>([
    ['in one page', {}],
    ['in pages by last', { pageSize: 50 }],
    ['in pages by an opaque cursor (quay.io)', { paging: 'opaque', pageSize: 50 }],
    ['in pages of absolute links', { absoluteLink: true, pageSize: 50 }],
  ])('come whole and in order, %s', async (_, quirks) => {
    const upstream = await startUpstream({ content, quirks })
    const reader = await startReader({ url: upstream.url })
    expect(await reader.tags('org/app')).toEqual([...tags].sort())
  })

  it('that never end are cut at some page', async () => {
    const upstream = await startUpstream({ content })
    const reader = await startReader({ url: upstream.url })
    let page = 0
    upstream.set({
      faults: Array.from({ length: 600 }, () => ({
        status: 200,
        times: 1,
        body: `{"tags":["t${page}"]}`,
        headers: { link: `</v2/org/app/tags/list?last=t${page++}>; rel="next"` },
      })),
    })
    expect((await reader.tags('org/app')).length).toBe(500)
  })

  it.each(['<html>', '[]', 'null', '{"tags":null}', '{"tags":"x"}', '{"tags":[1,null,"ok","not a tag","",{}]}', '7'])(
    'that are %s are those that can be read, or a bad answer',
    async (body) => {
      const upstream = await startUpstream({ content, faults: [{ status: 200, body }] })
      const reader = await startReader({ url: upstream.url })
      const answer = await reader.tags('org/app').catch((error: unknown) => error)
      if (answer instanceof Error) expect(answer).toMatchObject({ failure: 'bad-answer' })
      else expect(['ok']).toEqual(expect.arrayContaining(answer as string[]))
    },
  )
})

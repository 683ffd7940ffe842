import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ago,
  bytes,
  count,
  counted,
  date,
  percent,
  sentence,
  shortDigest,
  typed,
  visible,
} from '../../src/web/format.ts'
import { imagePath, parseTarget, query, repositoryPath } from '../../src/web/links.ts'
import type { RepositoryName, Tag } from '../../src/oci/reference.ts'

describe('figures as people read them', () => {
  it.each([
    [bytes(0), '0 B'],
    [bytes(1023), '1023 B'],
    [bytes(1024), '1.0 KiB'],
    [bytes(10 * 1024), '10 KiB'],
    [bytes(3.44 * 1024 ** 3), '3.4 GiB'],
    [bytes(1024 ** 6), '1024 PiB'],
    [count(9_999), '9,999'],
    [count(12_345), '12.3k'],
    [count(4_500_000), '4.5M'],
    [counted(1, 'tag'), '1 tag'],
    [counted(0, 'tag'), '0 tags'],
    [percent(0, 0), '–'],
    [percent(1, 1_000), '<1%'],
    [percent(999, 1_000), '>99%'],
    [percent(1, 1), '100%'],
    [ago(1_000, 2_000), 'just now'],
    [ago(0, 61_000), '1 minute ago'],
    [ago(0, 400 * 86_400_000), '1 year ago'],
    [ago(7_200_000, 0), 'in 2 hours'],
    [date(Date.UTC(2030, 0, 2, 3, 4)), '2030-01-02 03:04 UTC'],
    [shortDigest(`sha256:${'0123456789'.repeat(7)}`), '012345678901'],
  ])('%s is %s', (shown, meant) => expect(shown).toBe(meant))
})

describe('texts from elsewhere', () => {
  it('are sentences where they are told on a page, but for names at their start', () => {
    expect(sentence('nothing of docker.io/x is here')).toBe('Nothing of docker.io/x is here.')
    expect(sentence('bob may not push team/app: why')).toBe('bob may not push team/app: why.')
    expect(sentence('team/app has no manifest 1')).toBe('team/app has no manifest 1.')
  })

  it('keep what can be seen, and show the rest by number', () => {
    expect(visible('a\tb\nc é 漢 \u{1f600}')).toBe('a\tb\nc é 漢 \u{1f600}')
    expect(visible('a\u0000\u202eb\u200bc')).toBe('a\\u{0}\\u{202e}b\\u{200b}c')
    expect(visible('x'.repeat(5_000))).toHaveLength(4_001)
    expect(typed('  no\u202ede ')).toBe('node')
  })
})

const component = fc.stringMatching(/^[a-z0-9]{1,3}$/)
const names = fc
  .array(fc.oneof(component, fc.constant('t')), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join('/'))

describe('addresses of pages', () => {
  it('are read as what they were made of, also for names that hold /t/', () => {
    fc.assert(
      fc.property(names, component, (name, tag) => {
        const of = (path: string) => parseTarget(path.slice('/r/'.length))
        expect(of(repositoryPath(name as RepositoryName))).toEqual({ name, reference: undefined })
        expect(of(imagePath(name as RepositoryName, tag as Tag))).toEqual({ name, reference: tag })
      }),
    )
  })

  it('leave out of the query what goes without saying', () => {
    expect(query({ q: '', page: 1, order: 'name' }, { page: 1 })).toBe('?order=name')
    expect(query({ q: undefined })).toBe('')
    expect(query({ q: 'a&b=c' })).toBe('?q=a%26b%3Dc')
  })
})

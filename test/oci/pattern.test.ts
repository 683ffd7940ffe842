import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { namePattern } from '../../src/oci/pattern.ts'

describe('a pattern for names', () => {
  it.each([
    ['library/*', 'library/node', true],
    ['library/*', 'library/node/slim', false],
    ['library/*', 'library', false],
    ['library/*:latest', 'library/node:latest', true],
    ['library/*:latest', 'library/node:latest2', false],
    ['**', 'any/thing:at-all', true],
    ['org/**', 'org/a/b', true],
    ['org/**', 'organ/a', false],
    ['*/app', 'a/app', true],
    ['*/app', 'a/b/app', false],
    ['**/app', 'a/b/app', true],
    ['app', 'app', true],
    ['app', 'apps', false],
    ['a.b', 'axb', false],
    ['a+b', 'aab', false],
    ['[ab]', 'a', false],
    ['a|b', 'b', false],
    ['(a)', 'a', false],
    ['', 'a', false],
  ])('%j fits %j: %s', (pattern, name, fits) => {
    expect(namePattern(pattern)(name)).toBe(fits)
  })

  const literal = fc.string({ unit: 'grapheme-ascii' }).filter((text) => !text.includes('*'))

  it('without a star fits itself alone', () => {
    fc.assert(
      fc.property(literal, literal, (pattern, name) => {
        expect(namePattern(pattern)(pattern)).toBe(true)
        expect(namePattern(pattern)(name)).toBe(pattern === name)
      }),
    )
  })

  it('with a star between texts fits what begins and ends with them', () => {
    fc.assert(
      fc.property(literal, literal, literal, (before, within, after) => {
        expect(namePattern(`${before}**${after}`)(before + within + after)).toBe(true)
        expect(namePattern(`${before}*${after}`)(before + within + after)).toBe(!within.includes('/'))
      }),
    )
  })

  it('with any stars fits what a regular expression of the same meaning does', () => {
    const text = (...of: string[]) => fc.array(fc.constantFrom(...of), { maxLength: 7 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(text('a', 'b', '/', '*', '**'), text('a', 'b', '/'), (pattern, name) => {
        const source = pattern.replaceAll(/\*\*|\*/g, (star) => (star === '*' ? '[^/]*' : '.*'))
        expect(namePattern(pattern)(name)).toBe(new RegExp(`^${source}$`).test(name))
      }),
      { numRuns: 3_000 },
    )
  })

  it.each(['*a', '**a', '*/', '**/*a'])('of %j many times over is compared in no time', (part) => {
    // By a regular expression it would take years.
    expect(namePattern(`${part.repeat(60)}b`)('a/'.repeat(128))).toBe(false)
    expect(namePattern(`${part.repeat(60)}b`)('a'.repeat(255))).toBe(false)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { isTag, parseReference, parseRepositoryName, parseTag } from '../../src/oci/reference.ts'
import { refusalOf } from '../helpers/refusals.ts'

// The grammar of the distribution specification, written as what makes a name instead of what matches one.
const alphanumeric = fc.stringMatching(/^[a-z0-9]{1,8}$/)
const separator = fc.constantFrom('.', '_', '__', '-', '--', '---')
const component = fc
  .tuple(alphanumeric, fc.array(fc.tuple(separator, alphanumeric), { maxLength: 3 }))
  .map(([first, more]) => first + more.flat().join(''))
const repositoryName = fc.array(component, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'))
const tag = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/)
const anyText = fc.string({ unit: 'binary', maxLength: 300 })

describe('a repository name', () => {
  it('made by the grammar is read as it is', () => {
    fc.assert(
      fc.property(
        repositoryName.filter((name) => name.length <= 255),
        (name) => {
          expect(parseRepositoryName(name)).toBe(name)
        },
      ),
    )
  })

  it.each([
    ['in upper case (case 64)', 'Library/node'],
    ['with ___ (case 64)', 'a___b'],
    ['with ..', 'a..b'],
    ['with ._', 'a._b'],
    ['with a separator in front', '-a'],
    ['with a separator behind', 'a/b-'],
    ['with an empty component', 'a//b'],
    ['with a slash in front', '/a'],
    ['with a slash behind', 'a/'],
    ['empty', ''],
    ['that climbs', 'a/../b'],
    ['with a port', 'localhost:5000/a'],
    ['with a blank', 'a b'],
    ['with a line break behind', 'a\n'],
    ['with a byte 0', 'a\0b'],
    ['that is not ASCII', 'ä/b'],
    ['of 256 characters (case 64)', 'a'.repeat(256)],
  ])('%s is refused as NAME_INVALID', (_, name) => {
    expect(refusalOf(() => parseRepositoryName(name))).toBe('NAME_INVALID')
  })

  it.each([
    ['of 255 characters', 'a'.repeat(255)],
    ['with __', 'a__b/c'],
    ['with ---', 'a---b'],
    ['of the words of the API (case 64)', 'manifests/blobs/tags/uploads'],
    ['that begins with a digit', '0/1'],
  ])('%s is right', (_, name) => {
    expect(parseRepositoryName(name)).toBe(name)
  })

  it('is refused quickly however it is made', () => {
    const started = performance.now()
    for (const part of ['a-', 'a.', '-', 'a__']) refusalOf(() => parseRepositoryName(`${part.repeat(80)}!`))
    expect(performance.now() - started).toBeLessThan(500)
  })

  it('is nothing else, whatever is read', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect([undefined, 'NAME_INVALID']).toContain(refusalOf(() => parseRepositoryName(text)))
      }),
    )
  })
})

describe('a tag', () => {
  it('made by the grammar is read as it is, in its own case', () => {
    fc.assert(
      fc.property(tag, (text) => {
        expect(parseTag(text)).toBe(text)
      }),
    )
  })

  it.each([
    ['empty', ''],
    ['with a dot in front', '.a'],
    ['with a dash in front', '-a'],
    ['of 129 characters', 'a'.repeat(129)],
    ['with a slash', 'a/b'],
    ['with a blank', 'a b'],
    ['with a plus', '1.0+build'],
    ['with a line break behind', 'a\n'],
    ['that is not ASCII', 'ü'],
  ])('%s is refused as TAG_INVALID', (_, text) => {
    expect(refusalOf(() => parseTag(text))).toBe('TAG_INVALID')
  })

  it('is nothing else, whatever is read', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect([undefined, 'TAG_INVALID']).toContain(refusalOf(() => parseTag(text)))
      }),
    )
  })
})

describe('a reference', () => {
  it('is a tag or a digest, never both', () => {
    fc.assert(
      fc.property(tag, fc.uint8Array(), (text, bytes) => {
        expect(isTag(parseReference(text))).toBe(true)
        expect(isTag(parseReference(digestOf(bytes)))).toBe(false)
      }),
    )
  })

  it('with a colon must be a digest', () => {
    expect(refusalOf(() => parseReference('sha256:baddigeststring'))).toBe('DIGEST_INVALID')
    expect(refusalOf(() => parseReference('latest:20'))).toBe('DIGEST_INVALID')
  })

  it('is nothing else, whatever is read', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect([undefined, 'TAG_INVALID', 'DIGEST_INVALID']).toContain(refusalOf(() => parseReference(text)))
      }),
    )
  })
})

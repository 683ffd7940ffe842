import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { algorithmOf, digestOf, finishDigest, hexOf, isDigest, parseDigest, quote } from '../../src/oci/digest.ts'
import { refusalOf } from '../helpers/refusals.ts'

const hex = (length: number) => 'a1'.repeat(length / 2)
const algorithm = fc.constantFrom('sha256', 'sha512')
const anyText = fc.string({ unit: 'binary', maxLength: 200 })

describe('a digest', () => {
  it('of any bytes is read back as it is', () => {
    fc.assert(
      fc.property(fc.uint8Array(), algorithm, (bytes, by) => {
        const digest = digestOf(bytes, by)
        expect(parseDigest(digest)).toBe(digest)
        expect(`${algorithmOf(digest)}:${hexOf(digest)}`).toBe(digest)
        expect(hexOf(digest)).toBe(createHash(by).update(bytes).digest('hex'))
      }),
    )
  })

  it('is the same however the bytes are split', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), algorithm, (parts, by) => {
        const hash = parts.reduce((sum, part) => sum.update(part), createHash(by))
        expect(finishDigest(hash, by)).toBe(digestOf(Buffer.concat(parts), by))
      }),
    )
  })

  it.each([
    ['empty', ''],
    ['without an algorithm', hex(64)],
    ['of a known algorithm, without hex', 'sha256:'],
    ['too short', `sha256:${hex(62)}`],
    ['too long', `sha256:${hex(66)}`],
    ['in upper case (grammar of the image-spec)', `sha256:${hex(64).toUpperCase()}`],
    ['with its algorithm in upper case', `SHA256:${hex(64)}`],
    ['no hex', `sha256:${'g'.repeat(64)}`],
    ['of one algorithm and the length of the other (case 56)', `sha512:${hex(64)}`],
    ['of the other algorithm and the length of the one (case 56)', `sha256:${hex(128)}`],
    ['of an algorithm not served (case 56)', `sha384:${hex(96)}`],
    ['of MD5', `md5:${hex(32)}`],
    ['with a path in it', `sha256:../../${hex(58)}`],
    ['mangled by a proxy (case 32)', `sha256-${hex(64)}`],
    ['with a blank behind', `sha256:${hex(64)} `],
    ['with a line break behind', `sha256:${hex(64)}\n`],
    ['with digits that are not ASCII', `sha256:${'١'.repeat(64)}`],
  ])('%s is refused as DIGEST_INVALID', (_, text) => {
    expect(isDigest(text)).toBe(false)
    expect(refusalOf(() => parseDigest(text))).toBe('DIGEST_INVALID')
  })

  it('is nothing else, whatever is read', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect([undefined, 'DIGEST_INVALID']).toContain(refusalOf(() => parseDigest(text)))
      }),
    )
  })

  it('keeps apart content that differs in one bit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(7), (bytes, bit) => {
        const other = Uint8Array.from(bytes)
        other[0]! ^= 1 << bit
        expect(digestOf(other)).not.toBe(digestOf(bytes))
      }),
    )
  })
})

describe('a quotation of what a client sent', () => {
  it('is short, on one line and without control characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 5000 }), (text) => {
        const quoted = quote(text)
        expect(quoted.length).toBeLessThan(800)
        expect(quoted).not.toMatch(/[\x00-\x1f]/)
      }),
    )
  })
})

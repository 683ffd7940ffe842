import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parsePath } from '../../src/api/request.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { refusalOf } from '../helpers/refusals.ts'

// Names are built of the API's own words as often as of others: the last keyword must split the path (case 64).
const word = fc.constantFrom('manifests', 'blobs', 'tags', 'list', 'uploads', 'referrers', 'v2', 'a', 'node')
const name = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join('/'))
const tag = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20}$/)
const digest = fc.uint8Array({ maxLength: 4 }).map((bytes) => digestOf(bytes))
const encoded = (text: string) => encodeURIComponent(text).replaceAll('%2F', '/')

describe('a path of the API', () => {
  it('with a name of any words is read as that name', () => {
    fc.assert(
      fc.property(name, tag, digest, (path, tag, digest) => {
        const at = { path, prefix: '' }
        expect(parsePath(`/v2/${path}/manifests/${tag}`)).toEqual({ kind: 'manifest', at, reference: tag })
        expect(parsePath(`/v2/${path}/manifests/${digest}`)).toEqual({ kind: 'manifest', at, reference: digest })
        expect(parsePath(`/v2/${path}/blobs/${digest}`)).toEqual({ kind: 'blob', at, digest })
        expect(parsePath(`/v2/${path}/tags/list`)).toEqual({ kind: 'tags', at })
        expect(parsePath(`/v2/${path}/referrers/${digest}`)).toEqual({ kind: 'referrers', at, digest })
        expect(parsePath(`/v2/${path}/blobs/uploads/`)).toEqual({ kind: 'upload', at, session: '' })
        expect(parsePath(`/v2/${path}/blobs/uploads`)).toEqual({ kind: 'upload', at, session: '' })
      }),
    )
  })

  it('may stand behind a prefix', () => {
    fc.assert(
      fc.property(fc.constantFrom('quay.io', 'a/b', 'hub'), name, tag, (prefix, path, tag) => {
        const at = { path, prefix }
        expect(parsePath(`/${prefix}/v2/${path}/manifests/${tag}`)).toEqual({ kind: 'manifest', at, reference: tag })
      }),
    )
  })

  it('may be percent-encoded', () => {
    fc.assert(
      fc.property(name, digest, (path, digest) => {
        const plain = parsePath(`/v2/${path}/blobs/${digest}`)
        expect(parsePath(`/v2/${path}/blobs/${encoded(digest)}`)).toEqual(plain)
      }),
    )
  })

  it('is nothing else, whatever is read', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.webPath(), (text, path) => {
        for (const each of [text, `/v2/${text}`, `/v2${path}`, path, `/v2/a/manifests/${text}`]) {
          refusalOf(() => parsePath(each))
        }
      }),
    )
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RegistryError } from '../../src/oci/errors.ts'
import { parseTag } from '../../src/oci/reference.ts'
import { platformChooser } from '../../src/warm/platforms.ts'
import { byVersion, chooseTags, readWanted } from '../../src/warm/references.ts'

const sha = `sha256:${'ab'.repeat(32)}`

describe('what is to be here', () => {
  it.each([
    ['docker.io/library/node:22', [['docker.io/library/node', '22', undefined]]],
    ['node', [['node', 'latest', undefined]]],
    ['reg.example:5000/app', [['reg.example:5000/app', 'latest', undefined]]],
    ['reg.example:5000/app:1', [['reg.example:5000/app', '1', undefined]]],
    [`ghcr.io/org/app@${sha}`, [['ghcr.io/org/app', sha, undefined]]],
    ['node:22-*', [['node', undefined, '22-*']]],
    [
      'node:{20,22}-*',
      [
        ['node', undefined, '20-*'],
        ['node', undefined, '22-*'],
      ],
    ],
    [
      '{node,python}:{1,2}',
      [
        ['node', '1', undefined],
        ['node', '2', undefined],
        ['python', '1', undefined],
        ['python', '2', undefined],
      ],
    ],
  ])('is read from %s', (text, wanted) => {
    expect(readWanted(text).map(({ path, reference, pattern }) => [path, reference, pattern])).toEqual(wanted)
  })

  it.each([
    'lib/*:1',
    '*',
    ':1',
    'node:',
    'node:a b',
    'node:{1',
    'node:{1,{2}}',
    'node:}',
    'node@sha256:ab',
    'node:*/x',
  ])('is not read from %s', (text) => expect(() => readWanted(text)).toThrow(RegistryError))

  it('is at most 100 references for all braces of one text', () => {
    const digits = '{0,1,2,3,4,5,6,7,8,9}'
    expect(readWanted(`node:${digits}${digits}`)).toHaveLength(100)
    expect(() => readWanted(`node:${digits}${digits}{a,b}`)).toThrow(/100 references at most/)
  })

  it('is read, or refused with words of ours, from any text', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9.:/@{},*-]{0,40}$/))
    fc.assert(
      fc.property(text, (given) => {
        try {
          for (const { reference, pattern } of readWanted(given))
            expect(reference === undefined).toBe(pattern !== undefined)
        } catch (error) {
          expect(error).toBeInstanceOf(RegistryError)
        }
      }),
    )
  })
})

describe('the tags of a pattern', () => {
  const tags = ['9.1', '22.2.0', '22', '22.11.0', '22.11', '20.1', '22.11.0-rc1', 'latest'].map(parseTag)
  const choose = (pattern: string, limit: number, order: 'version' | 'pulls' = 'version') =>
    chooseTags(tags, { pattern, limit, order })

  it('are those of the highest version, by number and not by letter; the more general before what it may mean', () => {
    expect(choose('*', 20)).toEqual(['22', '22.11', '22.11.0', '22.11.0-rc1', '22.2.0', '20.1', '9.1', 'latest'])
    expect(choose('22.*', 2)).toEqual(['22.11', '22.11.0'])
  })

  it('stay in the order they come in where that is by pulls', () => {
    expect(choose('2*', 3, 'pulls')).toEqual(['22.2.0', '22', '22.11.0'])
  })

  it('are in one order, however they come', () => {
    const tag = fc.stringMatching(/^[0-9a-c.-]{1,8}$/).filter((text) => /^[^.-]/.test(text))
    fc.assert(
      fc.property(fc.uniqueArray(tag.map(parseTag), { maxLength: 20 }), fc.integer(), (given, seed) => {
        const shuffled = given.map((one, i) => ({ one, key: Math.sin(seed + i) })).sort((a, b) => a.key - b.key)
        expect(shuffled.map(({ one }) => one).sort(byVersion)).toEqual([...given].sort(byVersion))
      }),
    )
  })
})

describe('the platforms of an index', () => {
  const child = (platform?: { os: string; architecture: string; variant?: string }) => {
    return { mediaType: 'x', digest: sha as never, size: 1, ...(platform && { platform }) }
  }
  const amd64 = child({ os: 'linux', architecture: 'amd64' })
  const arm64 = child({ os: 'linux', architecture: 'arm64', variant: 'v8' })
  const windows = child({ os: 'windows', architecture: 'amd64' })
  const attestation = child({ os: 'unknown', architecture: 'unknown' })
  const all = [amd64, arm64, windows, attestation, child()]
  const none = { platforms: [], allowPlatforms: [], denyPlatforms: [] }

  it('are those asked for, with what is of no platform but attestations', () => {
    expect(all.filter(platformChooser(['linux/arm64'], none))).toEqual([arm64, child()])
  })

  it('are those that the upstream has read ahead, where none are asked for', () => {
    expect(all.filter(platformChooser([], { ...none, platforms: ['linux/*'] }))).toEqual([amd64, arm64, child()])
    expect(all.filter(platformChooser(['windows/*'], { ...none, platforms: ['linux/*'] }))).toEqual([windows, child()])
    expect(all.filter(platformChooser([], none))).toEqual(all)
  })

  it('are none that may not be pulled', () => {
    const deny = { ...none, denyPlatforms: ['windows/*'] }
    expect(all.filter(platformChooser([], deny))).toEqual([amd64, arm64, attestation, child()])
    const allow = { ...none, allowPlatforms: ['linux/amd64'] }
    expect(all.filter(platformChooser(['linux/*'], allow))).toEqual([amd64, child()])
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runBerth } from '../helpers/cli.ts'
import { openRaw } from '../helpers/http.ts'
import { startOldScene, type Scene } from '../helpers/pages.ts'

describe('what commands print of a registry some days old', () => {
  let scene: Scene
  beforeAll(async () => void (scene = await startOldScene()))
  afterAll(() => scene?.stop())

  async function berth(line: string): Promise<string> {
    const { code, out, err } = await runBerth(line.split(' '), { BERTH_STORAGE_DATA: scene.berth.data })
    return `${out}${err}${code === 0 ? '' : `exit code ${code}`}`
  }

  it('tags: each with its digest, size, times and pulls', async () => {
    const digest = scene.upstream.content.digest('library/node', '20.12.1')
    const lines = (await berth('tags node')).split('\n')
    expect(lines.map((line) => line.split(' ', 1)[0])).toEqual(['20', '20.11.0', '20.12.1', ''])
    expect(lines[0]).toMatch(new RegExp(`^20 +${digest} +\\d+ KiB +\\d{4}-\\d\\d-\\d\\d +\\d{4}-\\d\\d-\\d\\d +\\d+`))
    expect(await berth('tags team/app')).toMatch(/^1\.4\.1 .*\n1\.4\.2 /)
    expect(await berth('tags UPPER/x')).toMatch(/^berth: repository name must be .*exit code 1$/s)
  })

  it('history: every digest a tag was seen to mean, the newest first', async () => {
    const of = (version: string) => scene.upstream.content.digest('library/node', version)
    expect(await berth('history node:20')).toMatch(
      new RegExp(`^\\S+Z {2}${of('20.12.1')}\n\\S+Z {2}${of('20.11.0')}\n$`),
    )
    expect(await berth('history node')).toBe('berth: an image must be NAME:TAG or NAME@DIGEST, saw "node"\nexit code 2')
  })

  it('status: how it does, what is left of limits, what is broken, what is being fetched', async () => {
    const layer = { size: 4 * 1024 * 1024, seed: 7 }
    scene.upstream.push('library/large', {
      blobs: { layer },
      manifests: { m: { config: 'layer', layers: ['layer'] } },
      tags: { 1: 'm' },
    })
    await scene.pull('library/large', '1')
    const digest = scene.upstream.content.digest('library/large', 'layer')
    const release = scene.upstream.hold(/blobs/, 1024 * 1024)
    const pull = await openRaw(`${scene.berth.url}/v2/library/large/blobs/${digest}`)
    const said = await berth('status')
    release()
    await pull.rest()
    expect(said).toMatch(/^running +the server on \//)
    expect(said).toMatch(/^last day +\d+ pulls served, \d+ spent at upstreams$/m)
    expect(said).toMatch(/^hit rate +\d+%: \S+ \w+ served, \S+ \w+ fetched$/m)
    expect(said).toMatch(/^disk +\S+ KiB of at most 100 GiB cached, /m)
    expect(said).toMatch(/^down +ghcr\.io: http:\/\/127\.0\.0\.1:9 since \d{4}-/m)
    expect(said).toMatch(/^limit +docker\.io: anonymous has \d+ of 100 pulls left/m)
    expect(said).toMatch(new RegExp(`^fetching +docker\\.io/library/large ${digest}: `, 'm'))
    expect(said).toMatch(/^problem +\d{4}-.* ghcr\.io/m)
  })
})

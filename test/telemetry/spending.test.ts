import { join } from 'node:path'
import { expect, it } from 'vitest'
import { berthCli } from '../helpers/cli.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'

it('pulls spent at upstreams are charged to caller and repository, and berth spending tells the most first', async () => {
  const image = { blobs: { c: '{}', l: 'layer' }, manifests: { m: { config: 'c', layers: ['l'] } }, tags: { 1: 'm' } }
  const other = { ...image, blobs: { c: '{}', l: 'other' } }
  const upstream = await startUpstream({ content: { 'library/node': image, 'org/app': other } })
  const data = join(makeFolder(), 'data')
  const upstreams = [{ name: 'docker.io', url: upstream.url, freshness: 'never' }]
  const berth = await startBerth({ data, upstreams, trustedProxies: ['127.0.0.1'] })
  const pull = (name: string, address: string) =>
    fetchRaw(`${berth.url}/v2/${name}/manifests/1`, { headers: { 'x-forwarded-for': address } })
  await pull('library/node', '203.0.113.1')
  await pull('library/node', '203.0.113.2')
  upstream.push('library/node', { ...image, blobs: { c: '{}', l: 'newer' } })
  await pull('library/node', '203.0.113.1')
  await pull('org/app', '203.0.113.2')
  await berth.stop()
  expect(await berthCli(data, ['spending'])).toBe(
    ['2  docker.io  anonymous  203.0.113.1  library/node\n', '1  docker.io  anonymous  203.0.113.2  org/app\n'].join(
      '',
    ),
  )
  expect(await berthCli(data, ['spending', '--limit', '1'])).toMatch(/^2 .*\n$/)
  expect(await berthCli(data, ['spending', '--since', 'soon'])).toMatch(/must be a duration.*exit code 2$/s)
})

import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { startBerth } from '../helpers/berth-process.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { startUpstream } from '../helpers/upstream.ts'

const content = {
  'org/app': { blobs: { a: 'layer' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 1: 'm' } },
}

/** Everything below a folder, as text. */
function textsBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file, 'latin1'))
}

it('no password, token or signed URL is in the log, the metrics, an error, or the data folder', async () => {
  const auth = { kind: 'bearer', users: { robot: 'pa55-s3cret' }, anonymous: false } as const
  const upstream = await startUpstream({ content, auth, cdn: {} })
  const seen: string[] = []
  for (const password of ['pa55-s3cret', 'wr0ng-s3cret']) {
    const settings = {
      listen: '127.0.0.1:0',
      storage: { minFree: 0 },
      log: { level: 'trace' },
      access: { private: 'open' },
      upstreams: [{ name: 'docker.io', url: upstream.url, credentials: { username: 'robot', password } }],
    }
    const folder = makeFolder({ 'settings/berth.yaml': JSON.stringify(settings) })
    const berth = startBerth(['serve', '--config', 'settings/berth.yaml'], folder)
    const [url] = await berth.printed(/http:\/\/127\.0\.0\.1:\d+/)
    const blob = `blobs/${upstream.content.digest('org/app', 'a')}`
    for (const what of ['manifests/1', blob, 'tags/list', 'manifests/none']) {
      seen.push((await fetchRaw(`${url}/v2/org/app/${what}`)).text())
    }
    seen.push((await fetchRaw(`${url}/metrics`)).text())
    berth.child.kill('SIGTERM')
    await berth.ended
    seen.push(berth.output, ...textsBelow(path.join(folder, 'data')))
    expect(berth.output).toContain('/v2/org/app/manifests/1')
  }
  const tokens = upstream.received.flatMap(({ headers }) => headers.authorization?.split(' ')[1] ?? [])
  const signed = upstream.received.filter(({ role }) => role === 'cdn').flatMap(({ url }) => url.split('?')[1] ?? [])
  const secrets = ['s3cret', ...tokens, ...signed]
  expect([tokens.length > 0, signed.length > 0, seen.length > 12]).toEqual([true, true, true])
  for (const secret of secrets) expect(seen.filter((text) => text.includes(secret))).toEqual([])
})

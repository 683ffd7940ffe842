import { describe, expect, it } from 'vitest'
import { fetchRaw } from '../helpers/http.ts'
import { admin, pushApplication, startScene } from '../helpers/pages.ts'

const json = { 'content-type': 'application/json' }

async function start() {
  const scene = await startScene()
  const { berth, upstream } = scene
  const get = async (path: string, headers = {}) => {
    const answer = await fetchRaw(`${berth.url}/api/v1/${path}`, { headers })
    return { status: answer.status, body: answer.json() as Record<string, unknown> }
  }
  const send = async (method: string, path: string, body: object, headers: object = { ...admin, ...json }) => {
    const inQuery = method === 'DELETE' ? `?${new URLSearchParams(body as Record<string, string>).toString()}` : ''
    const sent = { method, headers: { ...headers }, ...(inQuery === '' && { body: JSON.stringify(body) }) }
    const answer = await fetchRaw(`${berth.url}/api/v1/${path}${inQuery}`, sent)
    return { status: answer.status, body: answer.json() as Record<string, unknown> }
  }
  return { scene, berth, upstream, get, send }
}

const node = 'docker.io/library/node'

describe('the admin API', () => {
  it('is described by an OpenAPI document that names every one of its paths', async () => {
    const { get } = await start()
    const { body } = await get('openapi.json')
    const { paths, components } = body as { paths: Record<string, object>; components: { schemas: object } }
    const references = JSON.stringify(body).matchAll(/"#\/components\/schemas\/(\w+)"/g)
    expect(new Set([...references].map(([, name]) => name))).toEqual(new Set(Object.keys(components.schemas)))
    const shown = Object.entries(paths).map(([path, methods]) => `${Object.keys(methods).sort().join(' ')} ${path}`)
    await expect(`${shown.sort().join('\n')}\n`).toMatchFileSnapshot('../golden/admin-api.txt')
  })

  it('finds repositories, tags and what they are made of', async () => {
    const { scene, get } = await start()
    await scene.pull('library/node', '20')
    expect((await get('repositories?q=node')).body).toMatchObject({ items: [{ name: node, tags: 1 }], more: false })
    expect((await get('repository?name=node')).body).toMatchObject({ name: node, visibility: 'public' })
    expect((await get(`tags?name=${node}`)).body).toMatchObject({ items: [{ tag: '20', fresh: true }], total: 1 })
    const { body } = await get(`image?name=${node}&reference=20&platform=linux/arm64/v8`)
    expect(body).toMatchObject({ isHosted: false, image: { config: { platform: 'linux/arm64' } } })
  })

  it('answers what is not here with 404, and what has no form with 400, in the words of the distribution API', async () => {
    const { get } = await start()
    expect(await get('repository?name=team/none')).toMatchObject({
      status: 404,
      body: { errors: [{ code: 'NAME_UNKNOWN' }] },
    })
    expect(await get('tags?name=node&page=0')).toMatchObject({
      status: 400,
      body: { errors: [{ code: 'UNSUPPORTED' }] },
    })
    expect(await get('repository?name=UPPER')).toMatchObject({
      status: 400,
      body: { errors: [{ code: 'NAME_INVALID' }] },
    })
  })

  it('changes and shows what concerns all to administrators alone', async () => {
    const { get, send } = await start()
    for (const path of ['cache', 'fills']) {
      expect((await get(path)).status).toBe(401)
      expect((await get(path, admin)).status).toBe(200)
    }
    const changes = [
      ['POST', 'evict', { name: node, reference: '20' }],
      ['POST', 'fetch', { name: node, reference: '20' }],
      ['POST', 'cache/evict', {}],
      ['POST', 'pins', { pattern: `${node}:20` }],
      ['DELETE', 'pins', { pattern: `${node}:20` }],
      ['POST', 'collect', { dryRun: true }],
      ['POST', 'tag', { name: 'team/app', from: '1', tag: '2' }],
      ['DELETE', 'tag', { name: 'team/app', reference: '1' }],
    ] as const
    for (const [method, path, body] of changes) {
      expect([path, (await send(method, path, body, json)).status]).toEqual([path, 401])
    }
  })

  it('takes no change that is not JSON: a page elsewhere cannot send that', async () => {
    const { berth } = await start()
    const sent = {
      method: 'POST',
      headers: { ...admin, 'content-type': 'text/plain' },
      body: '{"pattern":"docker.io/x:1"}',
    }
    expect((await fetchRaw(`${berth.url}/api/v1/pins`, sent)).status).toBe(415)
  })

  it('reads no more than 64 KiB of anybody, whether told of the length or not', async () => {
    const { berth } = await start()
    const body = JSON.stringify({ present: 'x'.repeat(1024 * 1024), next: 'x' })
    for (const length of [{ 'content-length': body.length }, { 'transfer-encoding': 'chunked' }]) {
      const answer = await fetchRaw(`${berth.url}/api/v1/password`, {
        method: 'POST',
        headers: { ...json, ...length },
        body,
      })
      expect([answer.status, answer.text()]).toEqual([413, expect.stringContaining('"code":"SIZE_INVALID"')])
    }
  })

  it('tags and deletes what is hosted', async () => {
    const { berth, send, get } = await start()
    await pushApplication(berth, ['1.0'])
    expect((await send('POST', 'tag', { name: 'team/app', from: '1.0', tag: 'stable' })).status).toBe(200)
    expect((await get('tags?name=team/app')).body).toMatchObject({ items: [{ tag: '1.0' }, { tag: 'stable' }] })
    expect((await send('DELETE', 'tag', { name: 'team/app', reference: '1.0' })).status).toBe(200)
    expect((await get('tags?name=team/app')).body).toMatchObject({ items: [{ tag: 'stable' }] })
    expect((await send('DELETE', 'tag', { name: 'team/app', reference: '1.0' })).status).toBe(404)
    expect((await send('DELETE', 'tag', { name: node, reference: '20' })).body).toMatchObject({
      errors: [{ code: 'DENIED' }],
    })
  })

  it('notes who did what, for admins to see', async () => {
    const { berth, send, get } = await start()
    await pushApplication(berth, ['1.0'])
    await send('POST', 'tag', { name: 'team/app', from: '1.0', tag: 'stable' })
    await send('DELETE', 'tag', { name: 'team/app', reference: '1.0' })
    await send('POST', 'pins', { pattern: `${node}:20` })
    const { entries } = (await get('audit', admin)).body as {
      entries: { action: string; user: string; detail: string }[]
    }
    expect(entries.slice(0, 3).map(({ action, user, detail }) => [action, user, detail])).toEqual([
      ['pin', 'ada', `${node}:20`],
      ['delete', 'ada', '1.0'],
      ['tag', 'ada', '1.0 as stable'],
    ])
    const filtered = await get('audit?name=team/app&action=delete&user=ada', admin)
    expect(filtered.body).toMatchObject({ entries: [{ detail: '1.0' }] })
    expect((await get('audit')).status).toBe(401)
  })

  it('fetches all of an image, and evicts it', async () => {
    const { scene, upstream, send, get } = await start()
    await scene.pull('library/node', '20')
    expect((await send('POST', 'fetch', { name: node, reference: '20' })).status).toBe(200)
    await expect
      .poll(async () => (await get('cache', admin)).body.storage, { timeout: 10_000 })
      .toMatchObject({
        bytes: upstreamSizes(upstream),
      })
    const { bytes } = (await send('POST', 'evict', { name: node, reference: '20' })).body
    expect(bytes).toBe(upstreamSizes(upstream))
    expect((await get('cache', admin)).body.storage).toMatchObject({ bytes: 0 })
  })

  it('keeps pins, which what is pinned outlives eviction by', async () => {
    const { send, get } = await start()
    await send('POST', 'pins', { pattern: `${node}:20*` })
    expect((await get('cache', admin)).body.pins).toEqual({ settings: [], added: [`${node}:20*`], tags: [] })
    expect((await send('POST', 'pins', { pattern: '<b>' })).status).toBe(400)
    expect((await send('DELETE', 'pins', { pattern: `${node}:20*` })).body).toEqual({ removed: true })
    expect((await send('DELETE', 'pins', { pattern: `${node}:20*` })).body).toEqual({ removed: false })
  })

  it('evicts all that is here of a repository, and nothing of what is hosted', async () => {
    const { berth, scene, upstream, send } = await start()
    await scene.pullAll('library/node', '20.11.0.amd64')
    expect((await send('POST', 'evict', { name: 'node' })).body).toEqual({ bytes: upstreamSizes(upstream) })
    expect((await send('POST', 'evict', { name: 'node' })).body).toEqual({ bytes: 0 })
    await pushApplication(berth, ['1.0'])
    expect((await send('POST', 'evict', { name: 'team/app' })).body).toEqual({ bytes: 0 })
    expect((await send('POST', 'evict', { name: 'team/none' })).status).toBe(404)
  })

  it('tells what a tag has meant, newest first', async () => {
    const { scene, upstream, send, get } = await start()
    const old = upstream.content.digest('library/node', '20.11.0')
    await scene.pull('library/node', '20')
    upstream.retag('library/node', '20', '20.11.0.amd64')
    await send('POST', 'check', { name: node, tag: '20' })
    const { body } = await get('history?name=node&tag=20')
    expect(body).toMatchObject([{ digest: upstream.content.digest('library/node', '20.11.0.amd64') }, { digest: old }])
  })

  it('asks the upstream about a tag that is fresh here', async () => {
    const { scene, upstream, send } = await start()
    await scene.pull('library/node', '20')
    upstream.retag('library/node', '20', '20.11.0.amd64')
    const moved = upstream.content.digest('library/node', '20.11.0.amd64')
    expect((await send('POST', 'check', { name: node, tag: '20' })).body).toEqual({ digest: moved })
  })
})

/** Config and layers of node for amd64. */
function upstreamSizes({ content }: Awaited<ReturnType<typeof startScene>>['upstream']): number {
  const names = ['20.11.0.amd64.config', 'base', '20.11.0.layer', 'entrypoint']
  return names.reduce((sum, name) => sum + content.size('library/node', name), 0)
}

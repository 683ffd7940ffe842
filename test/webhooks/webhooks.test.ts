import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { sqliteMetadata } from '../../src/metadata/sqlite.ts'
import { makeClock } from '../helpers/clock.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { Pusher, startHosting } from '../helpers/push.ts'
import { hookOf, startReceiver } from '../helpers/receiver.ts'
import { startBerth, type BerthOptions, type RunningBerth } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { serve } from '../process/serving.ts'

async function startScene(hook: object = {}, options: BerthOptions = {}) {
  const receiver = await startReceiver()
  const clock = makeClock(Date.now())
  const berth = await startHosting({ clock, webhooks: [hookOf(receiver, hook)], ...options })
  return { receiver, clock, berth, pusher: new Pusher(berth.url) }
}

/** A port that nobody listens at. */
async function closedPort(): Promise<number> {
  const server = net.createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as net.AddressInfo
  await once(server.close(), 'close')
  return port
}

const waiting = 'webhook_deliveries_waiting{hook="ci"}'
const attempts = (outcome: string) => `webhook_deliveries_total{hook="ci",outcome="${outcome}"}`

/** Scrapes until a figure has this value. */
async function expectFigure({ url }: RunningBerth, name: string, value: number): Promise<void> {
  const line = `berth_${name} ${value}\n`
  for (const end = Date.now() + 15_000; ;) {
    const text = (await fetchRaw(`${url}/metrics`)).text()
    if (text.includes(line)) return
    if (Date.now() > end) expect(text).toContain(line)
  }
}

const image = (layer: string) => ({ blobs: { c: '{}', layer }, manifests: { m: { config: 'c', layers: ['layer'] } } })

describe('a receiver of webhooks is told', () => {
  it('of tags that were pushed and deleted, by messages that its library verifies', async () => {
    const { receiver, pusher } = await startScene()
    const digest = await pusher.image('1.0', 'layer')
    await pusher.send('DELETE', 'manifests/1.0')
    const messages = await receiver.received(2)
    expect(messages.map(({ type, subject, data }) => ({ type, subject, data }))).toEqual([
      { type: 'berth.tag.pushed', subject: 'team/app', data: { repository: 'team/app', tag: '1.0', digest } },
      { type: 'berth.tag.deleted', subject: 'team/app', data: { repository: 'team/app', tag: '1.0', digest } },
    ])
  })

  it('of the tags that go with a manifest', async () => {
    const { receiver, pusher } = await startScene({ events: ['tag.deleted'] })
    const digest = await pusher.image('1', 'layer')
    await pusher.image('2', 'layer')
    await pusher.send('DELETE', `manifests/${digest}`)
    const tags = (await receiver.received(2)).map(({ data }) => data.tag)
    expect(tags.sort()).toEqual(['1', '2'])
  })

  it("of an upstream's tag that moved, once", async () => {
    const upstream = await startUpstream({ content: { 'library/node': { ...image('old'), tags: { 20: 'm' } } } })
    const upstreams = [{ name: 'docker.io', url: upstream.url, freshness: 'never' }]
    const { receiver, berth } = await startScene({ match: ['docker.io/**'] }, { upstreams })
    const url = `${berth.url}/v2/library/node/manifests/20`
    const before = (await fetchRaw(url)).headers['docker-content-digest']
    await fetchRaw(url)
    upstream.push('library/node', { ...image('new'), tags: { 20: 'm' } })
    const digest = (await fetchRaw(url)).headers['docker-content-digest']
    await fetchRaw(url)
    const [message] = await receiver.received(1)
    const data = { upstream: 'docker.io', repository: 'library/node', tag: '20', before, digest }
    expect(message).toMatchObject({ type: 'berth.tag.moved', subject: 'docker.io/library/node', data })
    expect(digest).not.toBe(before)
    expect(receiver.attempts).toHaveLength(1)
  })

  it('of a fill that failed', async () => {
    const spec = { ...image('x'.repeat(300_000)), tags: { 20: 'm' } }
    const upstream = await startUpstream({
      content: { 'library/node': spec },
      faults: [{ on: /blobs/, wrongByte: 10 }],
    })
    const upstreams = [{ name: 'docker.io', url: upstream.url }]
    const { receiver, berth } = await startScene({ events: ['fill.failed'] }, { upstreams })
    const digest = upstream.content.in('library/node').digest('layer')
    await fetchRaw(`${berth.url}/v2/library/node/blobs/${digest}`).catch(() => {})
    const [message] = await receiver.received(1)
    expect(message).toMatchObject({ subject: 'docker.io/library/node', data: { digest } })
  })

  it('of a budget at its reserve, once for each time it comes there', async () => {
    const spec = { ...image('layer'), tags: { 1: 'm', 2: 'm', 3: 'm' } }
    const upstream = await startUpstream({ content: { 'library/node': spec }, rate: { limit: 5 } })
    const upstreams = [{ name: 'docker.io', url: upstream.url, reserve: 10 }]
    const { receiver, berth } = await startScene({ match: ['docker.io'] }, { upstreams })
    for (const tag of [1, 2, 3]) await fetchRaw(`${berth.url}/v2/library/node/manifests/${tag}`)
    const [message] = await receiver.received(1)
    expect(message).toMatchObject({ type: 'berth.budget.reserved', data: { upstream: 'docker.io', limit: 5 } })
    expect(receiver.attempts).toHaveLength(1)
  })

  it('of nothing that its events and patterns leave out', async () => {
    const { receiver, berth } = await startScene({ events: ['tag.pushed'], match: ['team/wanted'] })
    await new Pusher(berth.url, 'team/other').image('1', 'layer')
    const wanted = new Pusher(berth.url, 'team/wanted')
    await wanted.image('1', 'layer')
    await wanted.send('DELETE', 'manifests/1')
    await wanted.image('2', 'layer')
    const messages = await receiver.received(2)
    expect(messages.map(({ subject, data }) => `${subject}:${String(data.tag)}`)).toEqual([
      'team/wanted:1',
      'team/wanted:2',
    ])
  })
})

describe('a receiver that fails', () => {
  it.each([500, 404, 302])('with %d is told again after a pause, by the same id', async (status) => {
    const { berth, receiver, clock, pusher } = await startScene()
    receiver.status = status
    await pusher.image('1', 'layer')
    await expectFigure(berth, attempts('failed'), 1)
    receiver.status = 204
    clock.advance(60_000)
    const [message] = await receiver.received(1)
    expect(receiver.attempts).toEqual([message!.id, message!.id])
  })

  it('holds up no push, and pushes go on while it is away', async () => {
    const { berth, pusher, receiver } = await startScene({ url: 'http://127.0.0.1:1/' })
    await pusher.image('1', 'layer')
    expect(await pusher.status('manifests/1')).toBe(200)
    expect(receiver.attempts).toEqual([])
    await berth.stop()
  })

  it('by a closed port is told when it is back, and counted as waiting until then', async () => {
    const port = await closedPort()
    const { berth, clock, pusher } = await startScene({ url: `http://127.0.0.1:${port}/hook` })
    await pusher.image('1', 'layer')
    await expectFigure(berth, attempts('failed'), 1)
    await expectFigure(berth, waiting, 1)
    const back = await startReceiver(undefined, port)
    clock.advance(60_000)
    expect((await back.received(1))[0]).toMatchObject({ data: { tag: '1' } })
    await expectFigure(berth, attempts('delivered'), 1)
    await expectFigure(berth, waiting, 0)
  })

  it('is tried less and less often, and given up after three days', async () => {
    const { berth, receiver, clock, pusher } = await startScene()
    receiver.status = 500
    await pusher.image('1', 'layer')
    await expectFigure(berth, attempts('failed'), 1)
    // At least 0.8 of 5 s, then at most 1.2 of it; then at least 0.8 of 10 s.
    clock.advance(6_000)
    await expectFigure(berth, attempts('failed'), 2)
    clock.advance(7_900)
    await pusher.image('2', 'layer')
    await expectFigure(berth, attempts('failed'), 3)
    expect(receiver.attempts[2]).not.toBe(receiver.attempts[0])
    clock.advance(3 * 24 * 3_600_000 + 1)
    await expectFigure(berth, attempts('dropped'), 2)
    await expectFigure(berth, waiting, 0)
  })

  it('loses what comes when 10,000 events wait for it, and no push fails', { timeout: 60_000 }, async () => {
    const data = path.join(makeFolder(), 'data')
    const first = await startHosting({ data })
    await first.stop()
    const metadata = sqliteMetadata(path.join(data, 'berth.db'))
    const createdAt = Date.now() + 3_600_000
    for (let i = 0; i < 10_000; i++)
      await metadata.webhooks.putDelivery({ id: `${i}`, hook: 'ci', body: '{}', createdAt })
    await metadata.close()
    const { berth, pusher } = await startScene({}, { data })
    await pusher.image('1', 'layer')
    expect(await pusher.status('manifests/1')).toBe(200)
    await expectFigure(berth, attempts('dropped'), 1)
    await expectFigure(berth, waiting, 10_000)
  })

  it('by silence does not hold up the end, and is told at the next start', async () => {
    const { berth, receiver, pusher } = await startScene()
    receiver.status = 0
    await pusher.image('1', 'layer')
    await receiver.attempted(1)
    const began = performance.now()
    await berth.stop()
    expect(performance.now() - began).toBeLessThan(10_000)
    receiver.status = 204
    await startScene({ url: receiver.url }, { data: berth.data })
    expect((await receiver.received(1))[0]?.id).toBe(receiver.attempts[0])
  })

  it('with 410 is not told again', async () => {
    const { receiver, clock, pusher } = await startScene()
    receiver.status = 410
    await pusher.image('1', 'layer')
    await receiver.attempted(1)
    receiver.status = 204
    clock.advance(120_000)
    await pusher.image('2', 'layer')
    expect((await receiver.received(1)).map(({ data }) => data.tag)).toEqual(['2'])
  })
})

describe('an event', () => {
  it('that nobody took before a kill is told after the next start', { timeout: 60_000 }, async () => {
    const receiver = await startReceiver()
    receiver.status = 503
    const settings = {
      listen: '127.0.0.1:0',
      storage: { data: './data', minFree: 0 },
      access: { anonymous: 'push' },
      hosted: { namespaces: ['team'] },
      webhooks: [hookOf(receiver)],
    }
    const home = makeFolder({ 'config/berth.yaml': JSON.stringify(settings) })
    const first = await serve(home)
    const digest = await new Pusher(first.url).image('1', 'layer')
    await first.kill()
    receiver.status = 204
    await serve(home)
    const [message] = await receiver.received(1)
    expect(message).toMatchObject({ type: 'berth.tag.pushed', data: { tag: '1', digest } })
  })

  it('is signed with the bytes that a whsec_ secret stands for', async () => {
    const receiver = await startReceiver('0123456789abcdef')
    const secretFile = path.join(makeFolder(), 'secret')
    writeFileSync(secretFile, `whsec_${Buffer.from(receiver.secret).toString('base64')}`)
    const hook = { ...hookOf(receiver), secretFile }
    const berth = await startBerth({
      access: { anonymous: 'push' },
      hosted: { namespaces: ['team'] },
      webhooks: [hook],
    })
    await new Pusher(berth.url).image('1', 'layer')
    await receiver.received(1)
  })
})

import { describe, expect, it } from 'vitest'
import { makeClock, type TestClock } from '../helpers/clock.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { admin, nodeImage, password } from '../helpers/pages.ts'
import { startBerth, type BerthOptions } from '../helpers/start.ts'
import { startUpstream, type Upstream, type UpstreamOptions } from '../helpers/upstream.ts'

interface Run {
  id: number
  list?: string
  outcome?: string
  endedAt?: number
  bytes: number
  references: { reference: string; outcome: string; message?: string; bytes: number }[]
}

interface List {
  name: string
  nextAt?: number
  run?: Run
}

const minute = 60_000
const hour = 60 * minute
const node = 'docker.io/library/node'

const content = { 'library/node': nodeImage('20.11.0', ['20', '20.11.0']) }

interface SceneOptions extends BerthOptions {
  upstream?: Partial<UpstreamOptions>
  /** Settings of docker.io. */
  hub?: object
  clock?: TestClock
}

const noon = () => makeClock(Date.UTC(2030, 0, 1, 12))

async function start(
  lists: object[],
  { upstream: behaviour, hub = {}, clock = noon(), ...options }: SceneOptions = {},
) {
  const upstream = await startUpstream({ content, ...behaviour })
  const settings = {
    data: makeFolder(),
    clock,
    access: { user: { username: 'ada', password } },
    warm: lists,
    upstreams: [{ name: 'docker.io', url: upstream.url, freshness: '1m', ...hub }],
    ...options,
  }
  return { upstream, clock, settings, ...(await open(settings)) }
}

async function open(settings: BerthOptions) {
  const berth = await startBerth(settings)
  const ask = async (method: string, path: string, given?: object) => {
    const headers = { ...admin, 'content-type': 'application/json' }
    const sent = { method, headers, ...(given && { body: JSON.stringify(given) }) }
    const answer = await fetchRaw(`${berth.url}/api/v1/${path}`, sent)
    return { status: answer.status, body: answer.json() }
  }
  const lists = async () => ((await ask('GET', 'warm')).body as { lists: List[] }).lists
  const run = async (id: number) => (await ask('GET', `warm/run?id=${id}`)).body as Run
  const ended = async (id: number) => {
    await expect.poll(async () => (await run(id)).endedAt, { timeout: 15_000 }).toBeDefined()
    return run(id)
  }
  return {
    berth,
    ask,
    lists,
    run,
    ended,
    /** Begins to fetch and waits for the end. */
    fetch: async (given: object): Promise<Run> => {
      const { status, body } = await ask('POST', 'warm/fetch', given)
      expect([status, body]).toEqual([200, body])
      return ended((body as Run).id)
    },
    /** Waits until the newest run of a list is another one, and has ended. */
    nextRun: async (name: string, before?: number): Promise<Run> => {
      const find = async () => (await lists()).find((list) => list.name === name)?.run
      await expect.poll(async () => (await find())?.id, { timeout: 15_000 }).not.toBe(before)
      return ended((await find())!.id)
    },
    metrics: async () => (await fetchRaw(`${berth.url}/metrics`, { headers: admin })).text(),
  }
}

const base = { name: 'base', references: [`${node}:20`], platforms: ['linux/amd64'] }

/** What was asked for, each as a client would: `GET manifest 20`. */
const asked = (upstream: Upstream) =>
  upstream.requests.map((line) => line.replace(/^(\w+) .*\/(manifest|blob|tag)s\/(\S+) .*$/, '$1 $2 $3'))

const sizeOf = (upstream: Upstream, ...names: string[]) =>
  names.reduce((sum, name) => sum + upstream.content.size('library/node', name), 0)
const amd64 = ['20.11.0.amd64.config', 'base', '20.11.0.layer', 'entrypoint']

describe('a warm list', () => {
  it('brings the index, the manifests of its platforms and their blobs, each once; pulls then ask for nothing', async () => {
    const { upstream, berth, fetch, metrics } = await start([base])
    const run = await fetch({ list: 'base' })
    expect(run).toMatchObject({ list: 'base', outcome: 'ok', bytes: sizeOf(upstream, ...amd64) })
    expect(run.references).toMatchObject([{ reference: `${node}:20`, outcome: 'ok' }])
    expect(asked(upstream).filter((line) => line.includes('manifest'))).toHaveLength(2)
    expect(upstream.count(/GET .*\/blobs\//)).toBe(4)

    upstream.forget()
    const name = `${berth.url}/v2/library/node`
    const digest = (symbol: string) => upstream.content.digest('library/node', symbol)
    for (const path of [
      'manifests/20',
      `manifests/${digest('20.11.0.amd64')}`,
      ...amd64.map((blob) => `blobs/${digest(blob)}`),
    ])
      expect([path, (await fetchRaw(`${name}/${path}`, { headers: admin })).status]).toEqual([path, 200])
    expect(upstream.requests).toEqual([])
    const figures = await metrics()
    expect(figures).toContain('berth_warm_runs_total{list="base",outcome="ok"} 1')
    expect(figures).toContain('berth_warm_references_total{list="base",outcome="ok"} 1')
    expect(figures).toContain(`berth_warm_fetched_bytes_total{list="base"} ${sizeOf(upstream, ...amd64)}`)
  })

  it('asks one HEAD for what is here and due, and nothing for what is fresh', async () => {
    const { upstream, clock, fetch } = await start([base])
    await fetch({ list: 'base' })
    upstream.forget()
    expect(await fetch({ list: 'base' })).toMatchObject({ outcome: 'ok', bytes: 0 })
    expect(upstream.requests).toEqual([])
    clock.advance(2 * minute)
    expect(await fetch({ list: 'base' })).toMatchObject({ outcome: 'ok', bytes: 0 })
    expect(asked(upstream)).toEqual(['HEAD manifest 20'])
  })

  it('brings only what is new of a tag that has moved', async () => {
    const { upstream, clock, fetch } = await start([base])
    await fetch({ list: 'base' })
    upstream.push('library/node', nodeImage('20.12.1', ['20'], 3))
    clock.advance(2 * minute)
    const run = await fetch({ list: 'base' })
    expect(run).toMatchObject({ outcome: 'ok', bytes: sizeOf(upstream, '20.12.1.amd64.config', '20.12.1.layer') })
  })

  it('by a pattern brings the tags of the highest version, as many as it says', async () => {
    const versions = ['9.1', '20.2', '20.11', '20.11.1', '22.1']
    const list = { ...base, references: [`${node}:{9,20}.*`], limit: 2 }
    const { upstream, fetch } = await start([list])
    versions.forEach((version, i) => upstream.push('library/node', nodeImage(version, [version], i)))
    const { references, outcome } = await fetch({ list: 'base' })
    expect(outcome).toBe('ok')
    expect(references.map(({ reference }) => reference)).toEqual([`${node}:9.1`, `${node}:20.11`, `${node}:20.11.1`])
    expect(upstream.count(/tags\/list/)).toBe(1)
  })

  it('by pulls brings the tags that were pulled here most often', async () => {
    const { upstream, settings, berth } = await start([
      { ...base, references: [`${node}:*`], order: 'pulls', limit: 1 },
    ])
    for (const version of ['18', '19']) upstream.push('library/node', nodeImage(version, [version], 5))
    for (const tag of ['18', '19', '18', '20'])
      await fetchRaw(`${berth.url}/v2/library/node/manifests/${tag}`, { headers: admin })
    await berth.stop()
    const { fetch } = await open(settings)
    const { references } = await fetch({ list: 'base' })
    expect(references.map(({ reference }) => reference)).toEqual([`${node}:18`])
  })

  it('tells of each reference that fails why, and brings the others', async () => {
    const references = [`${node}:none`, `${node}:x*`, 'team/app:1', `${node}:20`]
    const { fetch, ask } = await start([{ ...base, references }], {
      hosted: { namespaces: ['team'] },
      hub: { deny: ['library/node:none'] },
    })
    const run = await fetch({ list: 'base' })
    expect(run.outcome).toBe('failed')
    const told = Object.fromEntries(
      run.references.map(({ reference, outcome, message }) => [reference, [outcome, message]]),
    )
    expect(told).toEqual({
      [`${node}:none`]: ['failed', expect.stringContaining('deny') as string],
      [`${node}:x*`]: ['failed', `no tag of ${node} fits x*`],
      'team/app:1': ['failed', expect.stringContaining('hosted here') as string],
      [`${node}:20`]: ['ok', undefined],
    })
    const { problems } = (await ask('GET', 'cache')).body as { problems: { message: string }[] }
    expect(problems.map(({ message }) => message).join()).toContain(`${node}:none could not be kept warm`)
  })

  it('says that what is here may be out of date while its upstream is down', async () => {
    const { upstream, clock, fetch } = await start([base])
    await fetch({ list: 'base' })
    await upstream.stop()
    clock.advance(2 * minute)
    const { outcome, references } = await fetch({ list: 'base' })
    expect(outcome).toBe('failed')
    expect(references[0]?.message).toContain('it may be out of date')
  })

  it('begins once, however many want it at the same moment', async () => {
    const { upstream, ask, ended } = await start([base])
    const release = upstream.hold(/manifests/)
    const begun = await Promise.all(
      [1, 2, 3].map(async () => (await ask('POST', 'warm/fetch', { list: 'base' })).body as Run),
    )
    expect(new Set(begun.map(({ id }) => id)).size).toBe(1)
    release()
    await ended(begun[0]!.id)
  })

  it('may be evicted like all else, and is brought again by its next run', async () => {
    const { upstream, ask, fetch } = await start([base])
    await fetch({ list: 'base' })
    const { body } = await ask('POST', 'evict', { name: node, reference: '20' })
    expect(body).toEqual({ bytes: sizeOf(upstream, ...amd64) })
    expect(await fetch({ list: 'base' })).toMatchObject({ outcome: 'ok', bytes: sizeOf(upstream, ...amd64) })
  })
})

describe('what people pull goes before what is warmed', () => {
  it('by a cap on bandwidth: a pull of the blob that comes in the background, and of others, is not held up', async () => {
    const large = (seed: number) => ({ size: 3 * 1024 * 1024, seed })
    const spec = {
      blobs: { c: '{}', one: large(1), two: large(2), three: large(3), wanted: large(4) },
      manifests: { m: { config: 'c', layers: ['one', 'two', 'three'] }, w: { config: 'c', layers: ['wanted'] } },
      tags: { 1: 'm', 2: 'w' },
    }
    const { upstream, berth, ask, run } = await start([], {
      upstream: { content: { 'library/large': spec } },
      hub: { maxBandwidth: '2MiB', readAhead: false },
    })
    const { id } = (await ask('POST', 'warm/fetch', { references: ['large:1'] })).body as Run
    await upstream.asked(/GET .*blobs/, 4)
    const pull = async (name: string) => {
      const digest = upstream.content.digest('library/large', name)
      return fetchRaw(`${berth.url}/v2/library/large/blobs/${digest}`, { headers: admin })
    }
    await fetchRaw(`${berth.url}/v2/library/large/manifests/2`, { headers: admin })
    expect((await pull('wanted')).raw.equals(upstream.content.bytes('library/large', 'wanted'))).toBe(true)
    // Of 9 MiB in the background a fair share would have left more than this undone, had they gone first.
    const { bytes, endedAt } = await run(id)
    expect(endedAt).toBeUndefined()
    expect(bytes).toBeLessThan(4 * 1024 * 1024)
    expect((await pull('three')).raw.equals(upstream.content.bytes('library/large', 'three'))).toBe(true)
    expect((await run(id)).endedAt).toBeUndefined()
    await ask('DELETE', `warm/run?id=${id}`)
  })

  it('by a reserve of pulls: nothing of it is spent, what is free is fetched all the same, and an hour later it is tried again', async () => {
    const references = [`${node}:20`, 'docker.io/library/other:1']
    const { upstream, clock, lists, fetch, nextRun, metrics } = await start(
      [{ ...base, references, schedule: '0 4 * * *' }],
      {
        upstream: { content: { ...content, 'library/other': nodeImage('1', ['1'], 9) }, rate: { limit: 12 } },
        hub: { reserve: 10 },
      },
    )
    const run = await fetch({ list: 'base' })
    expect(run.outcome).toBe('spared')
    expect(run.references).toMatchObject([
      { reference: `${node}:20`, outcome: 'ok' },
      {
        reference: references[1],
        outcome: 'spared',
        message: 'docker.io has no pulls to spare: the few that are left (reserve) are for people',
      },
    ])
    expect(upstream.rateRemaining).toBe(10)
    expect(await metrics()).toContain('berth_warm_references_total{list="base",outcome="spared"} 1')

    const [{ nextAt }] = (await lists()) as [List]
    expect(nextAt! - clock.now()).toBeLessThanOrEqual(hour)
    upstream.set({ rate: { limit: 100 } })
    clock.advance(hour + minute)
    expect((await nextRun('base', run.id)).outcome).toBe('ok')
  })

  it('is charged to a caller of its own, who may have an account of its own', async () => {
    const auth = { kind: 'basic', users: { robot: 'pw' }, private: [] } as const
    const robot = { name: 'night', callers: ['warm'], username: 'robot', passwordFile: 'x' }
    const passwordFile = `${makeFolder({ pw: 'pw' })}/pw`
    const { berth, fetch, metrics } = await start([base], {
      upstream: { auth },
      hub: { accounts: [{ ...robot, passwordFile }] },
    })
    expect((await fetch({ list: 'base' })).outcome).toBe('ok')
    expect(await metrics()).toContain('berth_upstream_pulls_spent_total{upstream="docker.io",account="night"} 2')
    await berth.stop()
  })
})

describe('a schedule', () => {
  const nightly = { ...base, schedule: '0 4 * * *' }

  it('is kept in UTC, and a list that was never fetched is fetched soon after the start', async () => {
    const { clock, lists, nextRun } = await start([nightly])
    const [{ nextAt }] = (await lists()) as [List]
    expect(nextAt! - clock.now()).toBeLessThan(2 * minute)
    clock.advance(2 * minute)
    const first = await nextRun('base')
    expect((await lists())[0]).toMatchObject({ nextAt: Date.UTC(2030, 0, 2, 4) })
    clock.advance(16 * hour)
    expect((await nextRun('base', first.id)).outcome).toBe('ok')
    expect((await lists())[0]).toMatchObject({ nextAt: Date.UTC(2030, 0, 3, 4) })
  })

  it('that was missed, however often, is made up for once', async () => {
    const { clock, settings, berth, fetch } = await start([nightly])
    const { id } = await fetch({ list: 'base' })
    await berth.stop()
    clock.advance(10 * 24 * hour)
    const again = await open(settings)
    clock.advance(2 * minute)
    const made = await again.nextRun('base', id)
    expect((await again.lists())[0]).toMatchObject({ run: { id: made.id }, nextAt: Date.UTC(2030, 0, 12, 4) })
  })

  it('that was not missed is not made up for, and a list without one waits to be told', async () => {
    const { settings, clock, berth, fetch } = await start([nightly, { ...base, name: 'other' }])
    const { id } = await fetch({ list: 'base' })
    await berth.stop()
    clock.advance(hour)
    const { lists } = await open(settings)
    expect(await lists()).toMatchObject([{ run: { id }, nextAt: Date.UTC(2030, 0, 2, 4) }, { name: 'other' }])
    expect((await lists())[1]).not.toHaveProperty('nextAt')
  })
})

describe('references that are named by hand', () => {
  it('are fetched as people name them, and refused at once where they make no sense', async () => {
    const { upstream, ask, fetch } = await start([])
    const run = await fetch({ references: ['node:20'], platforms: ['linux/arm64'] })
    expect(run).toMatchObject({ outcome: 'ok', references: [{ reference: `${node}:20` }] })
    expect(run).not.toHaveProperty('list')
    const config = upstream.content.digest('library/node', '20.11.0.arm64.config')
    expect(upstream.count(`blobs/${config}`)).toBe(1)
    const refused = async (given: object) => (await ask('POST', 'warm/fetch', given)).status
    expect(await refused({ references: ['library/*:1'] })).toBe(400)
    expect(await refused({ references: ['evil.example/x:1'] })).toBe(404)
    expect(await refused({ list: 'none' })).toBe(404)
    expect(await refused({})).toBe(400)
    expect(await refused({ list: 'x', references: ['node'] })).toBe(400)
    expect((await ask('GET', 'warm')).body).toMatchObject({ lists: [], byHand: [{ id: run.id }] })
  })

  it('are for administrators', async () => {
    const { berth } = await start([base])
    const headers = { 'content-type': 'application/json' }
    const post = { method: 'POST', headers, body: '{"list":"base"}' }
    const statuses = [
      await fetchRaw(`${berth.url}/api/v1/warm`),
      await fetchRaw(`${berth.url}/api/v1/warm/run?id=1`),
      await fetchRaw(`${berth.url}/api/v1/warm/fetch`, post),
      await fetchRaw(`${berth.url}/api/v1/warm/run?id=1`, { method: 'DELETE' }),
      await fetchRaw(`${berth.url}/warm`),
    ].map(({ status }) => status)
    expect(statuses).toEqual([401, 401, 401, 401, 401])
  })

  it('can be stopped: what comes is broken off, and nobody goes on with it', async () => {
    const { upstream, settings, berth, ask, run, ended } = await start([])
    const release = upstream.hold(/blobs/, 1)
    const { id } = (await ask('POST', 'warm/fetch', { references: ['node:20', 'node:20.11.0'] })).body as Run
    await upstream.asked(/blobs/)
    expect((await ask('DELETE', `warm/run?id=${id}`)).body).toEqual({ stopped: true })
    expect(await ended(id)).toMatchObject({ outcome: 'stopped' })
    expect((await ask('DELETE', `warm/run?id=${id}`)).body).toEqual({ stopped: false })
    expect((await run(id)).references).toEqual([])
    release()
    await berth.stop()
    const again = await open(settings)
    expect((await again.run(id)).outcome).toBe('stopped')
    const { entries } = (await again.ask('GET', 'audit')).body as { entries: { action: string; detail: string }[] }
    expect(entries.map(({ action }) => action)).toContain('fetch stopped')
  })
})

describe('a run that the end of the process broke off', () => {
  it('goes on after the next start with what was not done, and fetches nothing twice', async () => {
    const references = [`${node}:20`, 'docker.io/library/other:1']
    const other = {
      blobs: { c: '{}', big: { size: 8 * 1024 * 1024, seed: 9 } },
      manifests: { m: { config: 'c', layers: ['big'] } },
      tags: { 1: 'm' },
    }
    const { upstream, settings, berth, ask, run } = await start([{ ...base, references }], {
      upstream: { content: { ...content, 'library/other': other } },
      // What is left of a fill is kept for a week of the files' own time.
      clock: makeClock(Date.now()),
    })
    const big = upstream.content.digest('library/other', 'big')
    const release = upstream.hold(new RegExp(`blobs/${big}`), 4 * 1024 * 1024)
    const { id } = (await ask('POST', 'warm/fetch', { list: 'base' })).body as Run
    await expect
      .poll(async () => (await run(id)).references[1]?.bytes, { timeout: 15_000 })
      .toBeGreaterThan(1024 * 1024)
    await berth.stop()
    release()
    upstream.forget()
    const { ended } = await open(settings)
    const done = await ended(id)
    expect(done).toMatchObject({ list: 'base', outcome: 'ok' })
    expect(done.references.map(({ reference, outcome }) => [reference, outcome])).toEqual([
      [references[0], 'ok'],
      [references[1], 'ok'],
    ])
    expect(upstream.count(/library\/node/)).toBe(0)
    expect(upstream.count(/library\/other\/manifests/)).toBe(0)
    expect(upstream.bytesSent).toBeLessThan(8 * 1024 * 1024)
  })

  it('is let go where its list is configured no more', async () => {
    const { upstream, settings, berth, ask } = await start([base])
    upstream.hold(/manifests/)
    const { id } = (await ask('POST', 'warm/fetch', { list: 'base' })).body as Run
    await upstream.asked(/manifests/)
    await berth.stop()
    const { run } = await open({ ...settings, warm: [] })
    expect((await run(id)).outcome).toBe('stopped')
  })
})

describe('a fill that is only warmed', () => {
  it('is whole also where fills bring only what is read, and a pull joins it', async () => {
    const { upstream, berth, fetch, ask, ended } = await start([base], { fill: { complete: 'never' } })
    expect(await fetch({ list: 'base' })).toMatchObject({ outcome: 'ok', bytes: sizeOf(upstream, ...amd64) })
    await ask('POST', 'evict', { name: node, reference: '20' })
    const layer = upstream.content.digest('library/node', 'base')
    const release = upstream.hold(new RegExp(`blobs/${layer}`), 1000)
    upstream.forget()
    const { id } = (await ask('POST', 'warm/fetch', { list: 'base' })).body as Run
    await upstream.asked(`blobs/${layer}`)
    const pull = fetchRaw(`${berth.url}/v2/library/node/blobs/${layer}`, { headers: admin })
    release()
    expect((await pull).raw.equals(upstream.content.bytes('library/node', 'base'))).toBe(true)
    expect((await ended(id)).outcome).toBe('ok')
    expect(upstream.sentAgain(layer)).toBe(0)
  })
})

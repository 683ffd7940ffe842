import { describe, expect, it } from 'vitest'
import { join } from 'node:path'
import { berthCli } from '../helpers/cli.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { nodeImage } from '../helpers/pages.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'

const node = 'docker.io/library/node'
const list = (name: string, ...tags: string[]) => ({ name, references: tags.map((tag) => `${node}:${tag}`) })

/** A server with these lists, and the command line beside it. */
async function start(...lists: object[]) {
  const upstream = await startUpstream({ content: { 'library/node': nodeImage('20.11.0', ['20']) } })
  const data = makeFolder()
  const settings = { upstreams: [{ name: 'docker.io', url: upstream.url }], warm: lists }
  const file = join(makeFolder({ 'berth.yaml': JSON.stringify(settings) }), 'berth.yaml')
  const open = () => startBerth({ ...settings, data })
  return { upstream, open, warm: (...argv: string[]) => berthCli(data, ['warm', '--config', file, ...argv]), data }
}

describe('berth warm', () => {
  it('has the running server fetch a list, waits for it, and pulls then ask the upstream for nothing', async () => {
    const { upstream, open, warm, data } = await start(list('base', '20'), list('other', 'none'))
    const { url } = await open()
    expect(await warm('base', '--wait')).toBe('base is being fetched: run 1\nrun 1: all of 1 here\n')
    upstream.forget()
    expect((await fetchRaw(`${url}/v2/library/node/manifests/20`)).status).toBe(200)
    expect(upstream.requests).toEqual([])
    expect(await berthCli(data, ['audit', '--action', 'fetch'])).toContain('warm list base')
  })

  it('tells what could not be fetched, with exit code 1', async () => {
    const { open, warm } = await start(list('base', '20', 'none'))
    await open()
    expect(await warm('--wait')).toMatch(/node:none {2}failed {2}\S.*\nberth: run 1: failed\nexit code 1$/s)
  })

  it('is done by the next server where none runs, once however often it is asked for', async () => {
    const { upstream, open, warm } = await start(list('base', '20'))
    expect(await warm()).toContain('by the next server that starts here: run 1')
    expect(await warm('base')).toBe('base is being fetched already: run 1\n')
    expect(upstream.requests).toEqual([])
    await open()
    expect(await warm('--wait')).toContain('all of 1 here')
    expect(upstream.count(/GET .*\/manifests\/20/)).toBe(1)
  })

  it('names the lists there are where one is wrong', async () => {
    expect(await (await start(list('base', '20'))).warm('bsae')).toMatch(/no list "bsae".*there are base\nexit code 1$/)
    expect(await (await start()).warm()).toMatch(/no list stands in the settings.*exit code 1$/s)
  })
})

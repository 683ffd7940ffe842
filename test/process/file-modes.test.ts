import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { startBerth } from '../helpers/berth-process.ts'
import { fetchRaw } from '../helpers/http.ts'
import { basic, passwordOf } from '../helpers/login.ts'
import { Pusher } from '../helpers/push.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { makeHome, serve } from './serving.ts'

const image = { blobs: { a: 'layer' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 1: 'm' } }

/** What lies below a folder, and the folder, each with what others than its owner may do with it. */
function openToOthers(folder: string): string[] {
  const all = ['.', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })]
  return all.filter((name) => (statSync(path.join(folder, name)).mode & 0o077) !== 0)
}

it('nobody else on the machine reads anything of the data folder: accounts, keys, images', async () => {
  const upstream = await startUpstream({ content: { 'org/app': image } })
  const home = makeHome(upstream)
  const add = startBerth(['user', 'add', 'ann', '--admin'], home)
  add.child.stdin?.end(passwordOf('ann'))
  await add.ended
  const { url, kill } = await serve(home)
  const digest = upstream.content.digest('org/app', 'a')
  expect((await fetchRaw(`${url}/v2/org/app/blobs/${digest}`)).status).toBe(200)
  const pusher = new Pusher(url, 'ann/app', basic('ann'))
  await pusher.image('1', 'secret layer')
  await pusher.open()
  expect((await fetchRaw(`${url}/token`, { headers: basic('ann') })).status).toBe(200)
  const data = path.join(home, 'data')
  expect(readdirSync(data)).toEqual(expect.arrayContaining(['berth.db', 'berth.db-wal', 'blobs', 'token-keys.json']))
  expect(openToOthers(data)).toEqual([])
  await kill()
})

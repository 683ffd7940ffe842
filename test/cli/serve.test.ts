import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { startBerth } from '../helpers/berth-process.ts'
import { makeFolder } from '../helpers/folder.ts'

const anyPort = { BERTH_LISTEN: '127.0.0.1:0' }
const address = /listens on http:\/\/127\.0\.0\.1:(\d+)\n[^]*registry-mirrors.*\n/

it('tells the address, the data folder, the upstreams, how to point Docker at it and how to make an admin first', async () => {
  const folder = makeFolder()
  const berth = startBerth(['serve'], folder, anyPort)
  const [, port = ''] = await berth.printed(address)
  const [greeting] = await berth.printed(/^[^]*berth user add.*\n/)
  await expect(greeting.replaceAll(port, '<port>').replaceAll(folder, '<folder>')).toMatchFileSnapshot(
    '../golden/serve-greeting.txt',
  )
})

it.each(['SIGTERM', 'SIGINT'] as const)('ends with exit code 0 after %s', async (signal) => {
  const berth = startBerth(['serve'], makeFolder(), anyPort)
  await berth.printed(address)
  berth.child.kill(signal)
  expect(await berth.ended).toEqual({ code: 0, signal: null })
  expect(berth.output).toContain(`${signal}: stopping, running responses have 30 s to finish`)
})

it('ends at once at a second signal, though a request is still running', async () => {
  const berth = startBerth(['serve'], makeFolder(), anyPort)
  const [, port] = await berth.printed(address)
  const client = connect(Number(port), '127.0.0.1')
  onTestFinished(() => void client.destroy())
  await once(client, 'connect')
  client.on('error', () => {}).write('GET /v2/ HTTP/1.1\r\nHost: a\r\n')
  berth.child.kill('SIGTERM')
  await berth.printed(/SIGTERM: stopping/)
  berth.child.kill('SIGTERM')
  expect((await berth.ended).code).toBe(143)
})

it('says so when another process has the port', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const berth = startBerth(['serve'], makeFolder(), { BERTH_LISTEN: `127.0.0.1:${port}` })
  expect((await berth.ended).code).toBe(1)
  expect(berth.output).toBe(
    `berth: cannot listen on 127.0.0.1:${port}: another process listens there. Stop it, or choose another port (listen, BERTH_LISTEN)\n`,
  )
})

it('opens nothing when a setting is wrong', async () => {
  const folder = makeFolder()
  const berth = startBerth(['serve'], folder, { ...anyPort, BERTH_FILL_CONNECTIONS: '0' })
  expect((await berth.ended).code).toBe(2)
  expect(berth.output).toBe('fill.connections (BERTH_FILL_CONNECTIONS): must be a whole number from 1 to 64, saw 0\n')
  expect(existsSync(`${folder}/data`)).toBe(false)
})

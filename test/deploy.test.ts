import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { loadConfig, optionTable } from '../src/config/config.ts'
import { makeCertificate } from './helpers/certificates.ts'

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')

describe('the Dockerfile', () => {
  const dockerfile = read('Dockerfile')

  it('sets variables that Berth knows', () => {
    const set = [...dockerfile.matchAll(/(BERTH_\w+)=(\S+)/g)]
    const env = Object.fromEntries(set.map(([, name = '', value = '']) => [name, value]))
    const { listen, storage } = loadConfig({ env })
    expect(listen).toEqual({ host: '0.0.0.0', port: 5000 })
    expect(storage.data).toBe('/var/lib/berth')
    expect(dockerfile).toContain(`VOLUME ${storage.data}\n`)
  })

  it('starts Node.js without a shell and not as root', () => {
    expect(dockerfile).toContain('ENTRYPOINT ["node", "--max-semi-space-size=8", "/app/dist/main.js"]')
    expect(dockerfile).toContain('USER 1000:1000')
  })

  it.each([
    ['HTTP', 200, 0],
    ['HTTP', 503, 1],
    ['HTTPS', 200, 0],
    ['HTTPS', 503, 1],
  ])('its HEALTHCHECK for an answer by %s of %d has exit code %d', async (scheme, status, code) => {
    const [, json = ''] = /HEALTHCHECK[^[]*CMD (\[.*\])/.exec(dockerfile) ?? []
    const [command = '', ...args] = JSON.parse(json) as string[]
    const asked: (string | undefined)[] = []
    const answer: RequestListener = ({ url }, response) => {
      asked.push(url)
      response.writeHead(status).end()
    }
    const server = scheme === 'HTTP' ? createServer(answer) : createTlsServer(makeCertificate(), answer)
    server.listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const env = { PATH: process.env.PATH, BERTH_LISTEN: `0.0.0.0:${(server.address() as AddressInfo).port}` }
    const ended = await promisify(execFile)(command, args, { env }).catch((error: { code: number }) => error)
    expect('code' in ended ? ended.code : 0).toBe(code)
    expect(asked).toEqual(['/healthz'])
  })
})

it('deploy/compose.yaml sets variables that Berth knows and mounts its volume at the data folder', () => {
  const { services } = parseYaml(read('deploy/compose.yaml')) as {
    services: { berth: { environment: Record<string, string>; volumes: string[]; read_only: boolean } }
  }
  const known = new Set(optionTable.map(({ env }) => env))
  const ours = Object.keys(services.berth.environment).filter((name) => name.startsWith('BERTH_'))
  expect(ours.filter((name) => !known.has(name))).toEqual([])
  expect(services.berth.volumes).toEqual(['data:/var/lib/berth'])
  expect(services.berth.read_only).toBe(true)
})

it('deploy/berth.service sets variables that Berth knows', () => {
  const names = [...read('deploy/berth.service').matchAll(/^Environment=(.*)$/gm)].flatMap(([, set = '']) =>
    [...set.matchAll(/BERTH_\w+/g)].map(([name]) => name),
  )
  expect(names).toEqual(['BERTH_STORAGE_DATA'])
  expect(optionTable.map(({ env }) => env)).toEqual(expect.arrayContaining(names))
})

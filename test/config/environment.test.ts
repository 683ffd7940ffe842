import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig, optionTable } from '../../src/config/config.ts'
import { makeFolder } from '../helpers/folder.ts'

function upstream(env: NodeJS.ProcessEnv, name: string, yaml = '') {
  const file = join(makeFolder({ 'berth.yaml': yaml }), 'berth.yaml')
  return loadConfig({ file, env }).upstreams.find((upstream) => upstream.name === name)
}

describe('the environment', () => {
  it('has a variable of its own for every option', () => {
    expect(optionTable.map(({ env }) => env)).toContain('BERTH_STORAGE_MAX_SIZE')
    expect(optionTable.map(({ env }) => env)).toContain('BERTH_UPSTREAMS_<NAME>_CREDENTIALS_PASSWORD')
    expect(new Set(optionTable.map(({ env }) => env)).size).toBe(optionTable.length)
  })

  it('is over the file', () => {
    const file = join(makeFolder({ 'b.yaml': 'storage: { data: /a, maxSize: 1GB }' }), 'b.yaml')
    const { storage } = loadConfig({ file, env: { BERTH_STORAGE_DATA: '/b' } })
    expect(storage).toMatchObject({ data: '/b', maxSize: 1e9 })
  })

  it('sets numbers, switches and lists', () => {
    const env = {
      BERTH_FILL_CONNECTIONS: '8',
      BERTH_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
      BERTH_UPSTREAMS_QUAY_IO_DEFAULT: 'true',
    }
    const config = loadConfig({ env })
    expect(config.fill.connections).toBe(8)
    expect(config.trustedProxies).toEqual(['10.0.0.0/8', '::1'])
    expect(config.upstreams.filter((upstream) => upstream.default).map(({ name }) => name)).toEqual(['quay.io'])
  })

  it('sets rules as a YAML list', () => {
    const env = { BERTH_UPSTREAMS_DOCKER_IO_RULES: '[{ match: "library/*:latest", freshness: 10s }]' }
    expect(upstream(env, 'docker.io')?.rules).toEqual([{ match: 'library/*:latest', freshness: 10_000 }])
  })

  it('knows an upstream by its name in capitals, every other character a _', () => {
    const env = { BERTH_UPSTREAMS_MY_REG_EXAMPLE_URL: 'https://b.example' }
    const yaml = 'upstreams: [{ name: my-reg.example, url: "https://a.example" }]'
    expect(upstream(env, 'my-reg.example', yaml)?.url).toBe('https://b.example')
  })

  it('makes a new upstream of a _NAME and a _URL', () => {
    const env = { BERTH_UPSTREAMS_1_NAME: 'corp.example', BERTH_UPSTREAMS_1_URL: 'https://corp.example' }
    expect(upstream(env, 'corp.example')).toMatchObject({ url: 'https://corp.example', freshness: 60_000 })
  })

  it('takes a variable that is set but empty as not set', () => {
    expect(loadConfig({ env: { BERTH_LISTEN: '' } }).listen.port).toBe(5000)
  })

  it('leaves alone what Kubernetes sets for a Service called berth', () => {
    const env = {
      BERTH_SERVICE_HOST: '10.0.0.1',
      BERTH_SERVICE_PORT: '5000',
      BERTH_SERVICE_PORT_HTTP: '5000',
      BERTH_PORT: 'tcp://10.0.0.1:5000',
      BERTH_PORT_5000_TCP: 'tcp://10.0.0.1:5000',
      BERTH_PORT_5000_TCP_ADDR: '10.0.0.1',
    }
    expect(loadConfig({ env })).toEqual(loadConfig({ env: {} }))
    expect(() => loadConfig({ env: { BERTH_PORT: '5000' } })).toThrow('BERTH_PORT: must be the variable of an option')
  })
})

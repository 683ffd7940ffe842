import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { configJsonSchema, formatConfig, loadConfig } from '../../src/config/config.ts'
import { makeFolder } from '../helpers/folder.ts'

const yaml = `
listen: "[::1]:5000"
publicUrl: https://registry.example/
storage: { maxSize: 1000000000 }
upstreams:
  - name: nvcr.io
    enabled: false
  - name: quay.io
    freshness: always
    maxIdle: 36h
    credentials: { username: robot, password: hunter2 }
  - name: corp.example
    url: http://corp.example
    insecure: true
`

function load(text: string) {
  return loadConfig({ file: join(makeFolder({ 'berth.yaml': text }), 'berth.yaml'), env: {} })
}

describe('the settings in force', () => {
  it('are printed as YAML with secrets hidden', async () => {
    await expect(formatConfig(load(yaml))).toMatchFileSnapshot('../golden/config-effective.yaml')
    expect(formatConfig(load(yaml))).not.toContain('hunter2')
  })

  it('hide the secrets that are no upstream’s, too', () => {
    const printed = formatConfig(load('access: { user: { username: ann, password: hunter2 } }'))
    expect([printed.includes('username: ann'), printed.includes('hunter2')]).toEqual([true, false])
  })

  it('as printed bring about the same settings, secrets apart', () => {
    const config = load(yaml)
    expect(load(formatConfig(config).replace('(hidden)', 'hunter2'))).toEqual(config)
    const defaults = loadConfig({ env: {} })
    expect(load(formatConfig(defaults))).toEqual(defaults)
  })
})

describe('the checked-in files', () => {
  it('config/berth.schema.json is what `berth config --schema` prints', () => {
    const file = new URL('../../config/berth.schema.json', import.meta.url)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(configJsonSchema())
  })

  it('config/berth.example.yaml loads and shows the defaults', () => {
    const file = new URL('../../config/berth.example.yaml', import.meta.url).pathname
    expect(loadConfig({ file, env: {} })).toEqual(loadConfig({ env: {} }))
  })
})

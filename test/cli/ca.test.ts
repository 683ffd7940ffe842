import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runCli } from '../../src/cli/cli.ts'
import { makeFolder } from '../helpers/folder.ts'

it('berth ca prints the same certificate each time, and never the key', async () => {
  const env = { BERTH_STORAGE_DATA: join(makeFolder(), 'data') }
  const printed: string[] = []
  for (let i = 0; i < 2; i++) {
    expect(await runCli(['ca'], { out: (text) => void printed.push(text), err: () => {}, env })).toBe(0)
  }
  expect(printed[0]).toMatch(/^-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n$/)
  expect(printed[1]).toBe(printed[0])
})

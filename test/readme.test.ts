import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { optionTable } from '../src/config/config.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

function shownDefault(value: unknown): string {
  if (value === undefined) return ''
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

it('README.md shows every option with its default and its help', () => {
  const rows = optionTable.map((option) => {
    const key = option.secret ? `\`${option.key}\`, \`${option.key}File\`` : `\`${option.key}\``
    return `| ${key} | ${shownDefault(option.default)} | ${option.help} |`
  })
  expect(readme).toContain(['| key | default | meaning |', '|---|---|---|', ...rows, ''].join('\n'))
})

import type { Row } from './measure.ts'

export interface Judged extends Row {
  /** Berth's figure by the other one. */
  ratio?: number
  met?: boolean
}

export function judge(row: Row): Judged {
  const ratio = row.other && row.berth / row.other.value
  const value = row.result?.value ?? ratio
  if (!row.target || value === undefined) return { ...row, ...(ratio !== undefined && { ratio }) }
  const { target } = row
  const met =
    'atLeast' in target ? value >= target.atLeast : 'atMost' in target ? value <= target.atMost : value < target.below
  return { ...row, ...(ratio !== undefined && { ratio }), met }
}

/** The table people read: a line a claim. */
export function table(rows: readonly Judged[]): string {
  const head = ['what', 'Berth', 'compared with', '', 'ratio', 'target', '']
  const lines = [head, ...rows.map(cells)]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const left = new Set([0, 2, 5, 6])
  const written = lines.map((line) =>
    line
      .map((cell, i) => (left.has(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  )
  written.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '))
  return written.join('\n')
}

function cells(row: Judged): string[] {
  return [
    row.what,
    `${number(row.berth)} ${row.unit}`,
    row.other?.name ?? (row.skipped ? `skipped: ${row.skipped}` : ''),
    row.other ? number(row.other.value) : '',
    row.ratio === undefined ? '' : row.ratio.toFixed(2),
    row.target ? targetText(row) : '',
    row.met === undefined ? '' : row.met ? 'met' : 'MISSED',
  ]
}

function targetText({ target, result }: Judged): string {
  const [[word, value]] = Object.entries(target!) as [[string, number]]
  const sign = { atLeast: '>=', atMost: '<=', below: '<' }[word]
  const seen = result && result.unit.includes(' ') ? ` (${number(result.value)})` : ''
  return `${sign} ${value}${result ? ` ${result.unit}` : ''}${seen}`
}

function number(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US')
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2)
}

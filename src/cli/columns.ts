import { visible } from '../web/format.ts'

/** A table with columns as wide as they need to be. What moves a terminal's cursor becomes visible. */
export function columns(rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map((cell) => visible(cell)))
  const widths = shown.reduce<number[]>((most, row) => row.map((cell, at) => Math.max(most[at] ?? 0, cell.length)), [])
  return shown
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

export function day(time: number | undefined): string {
  return time === undefined ? 'never' : new Date(time).toISOString().slice(0, 10)
}

/** What `--json` prints: the API's answer, for programs. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

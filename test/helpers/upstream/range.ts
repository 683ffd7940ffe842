/** A Range header against content of `size` bytes. */
export type Asked = { start: number; end: number } | 'whole' | 'several' | 'unsatisfiable'

export function parseRange(header: string | undefined, size: number): Asked {
  const match = /^bytes=(.+)$/.exec(header ?? '')
  if (!match) return 'whole'
  if (match[1]!.includes(',')) return 'several'
  const [, first, last] = /^(\d*)-(\d*)$/.exec(match[1]!) ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return 'whole'
  if (first === '')
    return last === '0' || size === 0 ? 'unsatisfiable' : { start: Math.max(0, size - Number(last)), end: size }
  const start = Number(first)
  const end = last === '' ? size : Math.min(size, Number(last) + 1)
  if (start >= size) return 'unsatisfiable'
  return start < end ? { start, end } : 'whole'
}

// Figures and texts as people read them. All pure.

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `734 B`, `3.4 MiB`, `120 GiB`. */
export function bytes(count: number): string {
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10))
  const value = count / 1024 ** power
  return `${power > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[power]}`
}

/** `1,234`, `12.3k`, `4.5M`. */
export function count(value: number): string {
  if (value < 10_000) return Math.round(value).toLocaleString('en')
  const [divided, unit] = value < 1e6 ? [value / 1e3, 'k'] : value < 1e9 ? [value / 1e6, 'M'] : [value / 1e9, 'G']
  return `${divided < 99.95 ? divided.toFixed(1) : Math.round(divided)}${unit}`
}

/** `1 tag`, `2 tags`. */
export function counted(value: number, thing: string, things = `${thing}s`): string {
  return `${count(value)} ${value === 1 ? thing : things}`
}

const spans: readonly [milliseconds: number, name: string][] = [
  [365 * 86_400_000, 'year'],
  [30 * 86_400_000, 'month'],
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
]

/** `just now`, `5 minutes ago`, `in 2 hours`. Times are in milliseconds since 1970. */
export function ago(time: number, now: number): string {
  const distance = Math.abs(now - time)
  const span = spans.find(([length]) => distance >= length)
  if (!span) return time > now ? 'in a moment' : 'just now'
  const text = counted(Math.floor(distance / span[0]), span[1])
  return time > now ? `in ${text}` : `${text} ago`
}

/** `2026-11-25 19:21 UTC`. */
export function date(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** `87%`; a hundredth at least where there is something, so that it does not read as nothing. */
export function percent(part: number, whole: number): string {
  if (whole <= 0) return '–'
  const value = (part / whole) * 100
  return `${value > 0 && value < 1 ? '<1' : value > 99 && value < 100 ? '>99' : Math.round(value)}%`
}

/** The first twelve digits, as people compare them. */
export function shortDigest(digest: string): string {
  const colon = digest.indexOf(':')
  return digest.slice(colon + 1, colon + 13)
}

const unseen = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g

/** Long texts from elsewhere are cut; nobody reads a label of a megabyte. */
const longest = 4_000

/**
 * A text from elsewhere as it is to be seen: characters that show as nothing, move the cursor or turn the direction of
 * what follows become visible. Line breaks and tabs stay.
 */
export function visible(text: string, most = longest): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text
  return cut.replace(unseen, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

/** A message of the API as a sentence on a page. What begins with a name stays as it is written. */
export function sentence(message: string): string {
  const text = visible(message)
  const begun = /^[a-z]+ (?!may not )/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}

/** A text that a visitor typed, without what nobody types. */
export function typed(text: string): string {
  return text.replace(unseen, '').trim()
}

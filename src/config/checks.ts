// The checks that options share. Each carries the words that follow "must be" when it fails, and turns what is
// written into what the program uses; as a codec it also turns it back, for `berth config`.
import { isIP } from 'node:net'
import { z } from 'zod'
import { durationPattern, formatDuration, formatSize, parseDuration, parseSize, sizePattern } from './quantity.ts'

type Reading<T> = { must: string; read: (text: string) => T | undefined; write: (value: T) => string; pattern?: RegExp }

function read<T>(meaning: z.ZodType<T, T>, { must, read, write, pattern }: Reading<T>) {
  const input = pattern ? z.string({ error: must }).regex(pattern, { error: must }) : z.string({ error: must })
  return z.codec(input, meaning, {
    decode(text, context) {
      const value = read(text)
      if (value !== undefined) return value
      context.issues.push({ code: 'custom', message: must, input: text })
      return z.NEVER
    },
    encode: write,
  })
}

/** A text for which `check` holds, kept as it is. */
export function text(must: string, check?: RegExp | ((text: string) => boolean)) {
  const input = z.string({ error: must }).min(1, { error: must })
  if (!check) return input
  return check instanceof RegExp ? input.regex(check, { error: must }) : input.refine(check, { error: must })
}

export function wholeNumber(from: number, to: number) {
  const error = `a whole number from ${from} to ${to}`
  return z.int({ error }).min(from, { error }).max(to, { error })
}

export function yesOrNo() {
  return z.boolean({ error: 'true or false' })
}

export function oneOf<const T extends readonly string[]>(...values: T) {
  return z.enum(values, { error: `one of ${values.join(', ')}` })
}

export function listOf<T extends z.ZodType>(item: T, must: string) {
  return z.array(item, { error: `a list of ${must}` })
}

export function size() {
  const error = 'a size such as 100GiB, 5GB, 512MiB or a number of bytes'
  const input = z.union([z.string().regex(sizePattern, { error }), z.int({ error }).min(0, { error })], { error })
  return z.codec(input, z.number(), {
    decode(written, context) {
      const bytes = parseSize(String(written))
      if (bytes !== undefined) return bytes
      context.issues.push({ code: 'custom', message: error, input: written })
      return z.NEVER
    },
    encode: formatSize,
  })
}

export function duration(most = Number.MAX_SAFE_INTEGER) {
  const limit = most === Number.MAX_SAFE_INTEGER ? '' : `, at most ${formatDuration(most)}`
  return read(z.number(), {
    must: `a duration such as 500ms, 10s, 1m, 36h or 3d${limit}`,
    pattern: durationPattern,
    read: (text) => {
      const milliseconds = parseDuration(text)
      return milliseconds !== undefined && milliseconds <= most ? milliseconds : undefined
    },
    write: formatDuration,
  })
}

/** How long a tag counts as fresh, in milliseconds: `never` is 0 and `always` is Infinity; `pinned` stands for itself. */
export function freshness() {
  // z.number() would refuse Infinity.
  return read(z.custom<number | 'pinned'>(), {
    must: 'a duration such as 10s, 1m or 36h, or always, never or pinned',
    read: (text) =>
      text === 'always' ? Infinity : text === 'never' ? 0 : text === 'pinned' ? text : parseDuration(text),
    write: (value) =>
      value === 'pinned' ? value : value === Infinity ? 'always' : value === 0 ? 'never' : formatDuration(value),
  })
}

export interface ListenAddress {
  host: string
  port: number
}

export function listenAddress() {
  return read(z.object({ host: z.string(), port: z.number() }), {
    must: 'HOST:PORT such as 127.0.0.1:5000 or [::1]:5000',
    read: parseListenAddress,
    write: ({ host, port }) => `${isIP(host) === 6 ? `[${host}]` : host}:${port}`,
  })
}

function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([a-zA-Z0-9.-]+)):(\d{1,5})$/.exec(text)
  if (!match) return undefined
  const [, v6, name] = match
  const port = Number(match[3])
  if (port > 65535 || (v6 !== undefined && isIP(v6) !== 6)) return undefined
  return { host: v6 ?? name ?? '', port }
}

/** An http:// or https:// URL without user, query or fragment, and without an ending slash. */
export function httpUrl(must: string, allowPath: boolean) {
  return read(z.string(), {
    must,
    read: (text) => {
      if (!URL.canParse(text)) return undefined
      const url = new URL(text)
      if (!/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) return undefined
      if (!allowPath && url.pathname !== '/') return undefined
      return url.origin + url.pathname.replace(/\/+$/, '')
    },
    write: (url) => url,
  })
}

/** A host as it stands in a Host header: lower case, with a port where it has one. */
export function hostAndPort() {
  const host = /^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/
  return text('a host name in lower case, with :PORT where it has one', host)
}

export function addressRange() {
  return text('an IP address or a range such as 10.0.0.0/8', (value) => {
    const [address = '', bits, more] = value.split('/')
    const version = isIP(address)
    if (version === 0 || more !== undefined) return false
    return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
  })
}

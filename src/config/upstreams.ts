import { z } from 'zod'
import { duration, freshness, hostAndPort, httpUrl, listOf, oneOf, size, text, wholeNumber, yesOrNo } from './checks.ts'
import { accounts, credentials } from './credentials.ts'
import { group, option } from './option.ts'
import { platformPatterns } from './platforms.ts'
import { signatureRules } from './signatures.ts'

const rule = group({
  match: text('a pattern of REPOSITORY:TAG such as library/*:latest'),
  freshness: freshness().exactOptional(),
  minAge: duration().exactOptional(),
})

const patterns = () => listOf(text('a pattern of REPOSITORY:TAG such as library/*:latest'), 'patterns').prefault([])

/** The options of one upstream. */
const upstream = group({
  name: option(
    text('lower-case letters and digits with . or - between them', /^[a-z0-9]+(?:(?:\.|-+)[a-z0-9]+)*$/),
    'what clients call it: the first part of an image name',
  ),
  url: option(httpUrl('an https:// URL without user, query or fragment', true), 'where its API is, without /v2/'),
  aliases: option(listOf(hostAndPort(), 'host names').prefault([]), 'other names for it, also with a port'),
  virtualHosts: option(
    listOf(hostAndPort(), 'host names').prefault([]),
    'Host headers under which Berth is this upstream alone',
  ),
  default: option(yesOrNo().prefault(false), 'the upstream of names that name no registry; docker.io if no other is'),
  enabled: option(yesOrNo().prefault(true), 'false removes a known registry'),
  credentials: credentials.exactOptional(),
  accounts,
  tokenHosts: option(
    listOf(hostAndPort(), 'host names').prefault([]),
    'hosts besides its own that may see the credentials as token servers',
  ),
  freshness: option(
    freshness().prefault('1m'),
    'how long a tag is served without asking: a duration, always, never, or pinned (as always, whatever a client wants)',
  ),
  minAge: option(
    duration().prefault('0s'),
    'a tag that moves goes on as before until it has kept its new meaning for this long',
  ),
  rules: option(
    listOf(rule, '{ match, freshness, minAge }').prefault([]),
    'freshness and minAge by pattern of REPOSITORY:TAG, first match wins',
  ),
  noCache: option(
    oneOf('check', 'ignore').prefault('check'),
    'whether Cache-Control: no-cache of a client makes a tag be checked',
  ),
  patience: option(duration(60_000).prefault('3s'), 'longest wait for the upstream where what is cached will do'),
  reserve: option(
    wholeNumber(0, 1_000_000).prefault(10),
    'with so few pulls left of a rate limit, tags are served unchecked to save them',
  ),
  allow: option(
    patterns(),
    'patterns of REPOSITORY:TAG, all others being refused; a pattern without a colon fits every tag',
  ),
  deny: option(patterns(), 'patterns of REPOSITORY:TAG that are refused, also where allow fits'),
  allowPlatforms: option(
    platformPatterns(),
    'patterns of OS/ARCHITECTURE such as linux/*, images for all others being refused',
  ),
  denyPlatforms: option(platformPatterns(), 'patterns of OS/ARCHITECTURE for which images are refused'),
  signatures: signatureRules,
  insecure: option(yesOrNo().prefault(false), 'allow an http:// URL beyond loopback'),
  readAhead: option(yesOrNo().prefault(true), "fetch an image's other layers when its first is asked for"),
  platforms: option(
    platformPatterns(),
    'patterns of OS/ARCHITECTURE for which images are read ahead, all without it; clients may ask for any',
  ),
  maxBandwidth: option(size().exactOptional(), 'most bytes a second fetched from it'),
  maxIdle: option(duration().exactOptional(), 'evict what nobody has pulled for this long'),
})

type Upstream = z.output<typeof upstream>

/** All upstreams. What concerns several keys or several upstreams is checked even when one key is wrong already. */
export const upstreams = z
  .array(upstream.superRefine(checkScheme, { when: () => true }), { error: 'a list of upstreams' })
  .superRefine(checkNames, { when: () => true })
  .superRefine(checkDefault, { when: () => true })

function checkScheme(upstream: Upstream, context: z.RefinementCtx): void {
  // Every value may be one that failed its own check.
  const url: unknown = upstream?.url
  if (typeof url !== 'string' || !url.startsWith('http:') || upstream.insecure || !URL.canParse(url)) return
  if (isLoopback(new URL(url).hostname)) return
  const must = 'an https:// URL (http:// only for loopback, or with insecure: true)'
  context.addIssue({ code: 'custom', path: ['url'], message: must })
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/.test(host)
}

function checkNames(upstreams: Upstream[], context: z.RefinementCtx): void {
  const owners = new Map<unknown, string>()
  const claim = (index: number, key: 'name' | 'aliases' | 'virtualHosts', name: unknown) => {
    const mine = upstreams[index]?.name ?? ''
    const owner = owners.get(name)
    if (owner === undefined) owners.set(name, mine)
    else if (owner !== mine) {
      const message = `names that no other upstream has (${owner} has this one)`
      context.addIssue({ code: 'custom', path: [index, key], message, params: { saw: JSON.stringify(name) } })
    }
  }
  const each = (act: (upstream: Upstream, index: number) => void) => {
    if (Array.isArray(upstreams))
      upstreams.forEach((upstream, index) => upstream?.enabled !== false && act(upstream, index))
  }
  each((upstream, index) => claim(index, 'name', upstream?.name))
  for (const key of ['aliases', 'virtualHosts'] as const) {
    each((upstream, index) => listed(upstream?.[key]).forEach((name) => claim(index, key, name)))
  }
}

function listed(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function checkDefault(upstreams: Upstream[], context: z.RefinementCtx): void {
  if (!Array.isArray(upstreams)) return
  const names = upstreams
    .filter((upstream) => upstream?.enabled !== false && upstream?.default === true)
    .map((u) => u.name)
  if (names.length === 1) return
  context.addIssue({
    code: 'custom',
    message: 'a list in which one enabled upstream has default: true',
    params: { saw: names.length === 0 ? 'none' : names.join(' and ') },
  })
}

// Every option, declared once: the key is where it stands, `.prefault` is its default as it would be written in the
// file, and the check reads it. The environment variable follows from the key (storage.maxSize is
// BERTH_STORAGE_MAX_SIZE); the JSON schema and the README's table are made from this.
import type { z } from 'zod'
import {
  addressRange,
  duration,
  httpUrl,
  listenAddress,
  listOf,
  oneOf,
  size,
  text,
  wholeNumber,
  yesOrNo,
} from './checks.ts'
import { access } from './access.ts'
import { hosted } from './hosted.ts'
import { limits } from './limits.ts'
import { defaultGroup, group, option } from './option.ts'
import { checkTrustedRoot, signatures } from './signatures.ts'
import { checkTls, tls } from './tls.ts'
import { upstreams } from './upstreams.ts'
import { checkWarmUpstreams, warm } from './warm.ts'
import { webhooks } from './webhooks.ts'

const day = 24 * 3_600_000

const hostPattern = /^(?:\*|(?:\*\.)?[A-Za-z0-9._-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?)$/

export const configSchema = group({
  listen: option(listenAddress().prefault('127.0.0.1:5000'), 'address and port to listen on'),
  allowPlainHttp: option(
    yesOrNo().prefault(false),
    'whether to listen beyond loopback without TLS where no proxy is named that has it: for networks that are trusted',
  ),
  tls,
  publicUrl: option(
    httpUrl('an http:// or https:// URL without a path', false).exactOptional(),
    'the URL clients use; else X-Forwarded-* from a trusted proxy, else Host',
  ),
  trustedProxies: option(
    listOf(addressRange(), 'IP addresses and ranges').prefault([]),
    'addresses whose X-Forwarded-* headers are believed',
  ),
  storage: defaultGroup({
    data: option(text('a folder').prefault('./data'), 'folder of the SQLite file, blobs and partial files'),
    maxSize: option(size().prefault('100GiB'), 'most cached content kept; hosted content is never evicted'),
    minFree: option(size().prefault('5GiB'), 'room left free on the disk by evicting cached content'),
    pins: option(
      listOf(text('a pattern such as docker.io/library/node:20*'), 'patterns of UPSTREAM/REPOSITORY:TAG').prefault([]),
      'cached tags, with all they need, that are never evicted',
    ),
  }),
  upstreams,
  signatures,
  warm,
  fill: defaultGroup({
    connections: option(wholeNumber(1, 64).prefault(4), 'parallel ranges of one large blob'),
    parallelThreshold: option(size().prefault('16MiB'), 'blobs from this size on are fetched in parallel ranges'),
    complete: option(
      oneOf('always', 'when-read', 'never').prefault('always'),
      'whether the rest of a blob is fetched when only a range of it was asked for',
    ),
    maxTotalConnections: option(wholeNumber(1, 10_000).prefault(64), 'connections for blobs to all upstreams'),
    maxConnectionsPerUpstream: option(wholeNumber(1, 10_000).prefault(24), 'connections for blobs to one upstream'),
  }),
  access,
  limits,
  hosted,
  webhooks,
  audit: defaultGroup({
    keep: option(duration().prefault('90d'), 'how long it is kept who pulled, pushed, deleted and changed what'),
  }),
  proxy: defaultGroup({
    enabled: option(
      yesOrNo().prefault(false),
      "whether Berth is its clients' HTTPS proxy as well, at the same address",
    ),
    allow: option(
      listOf(text('a host such as auth.docker.io, host:port, *.host or *', hostPattern), 'hosts').prefault([]),
      'hosts beyond the upstreams that the proxy passes on to; with * those with a public address',
    ),
  }),
  network: defaultGroup({
    extraCaFile: option(
      text('a PEM file').exactOptional(),
      'certificates trusted besides the usual ones, for registries, token servers and CDNs',
      { file: true },
    ),
  }),
  log: defaultGroup({
    level: option(
      oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent').prefault('info'),
      'least level of log lines',
    ),
  }),
  shutdownGrace: option(duration(day).prefault('30s'), 'time for running responses to finish at a stop'),
})
  .superRefine(checkTrustedRoot, { when: () => true })
  .superRefine(checkTls, { when: () => true })
  .superRefine(checkWarmUpstreams, { when: () => true })

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T

/** The settings in force: sizes in bytes, durations in milliseconds, secrets read from their files. */
export type Config = DeepReadonly<z.output<typeof configSchema>>
/** An enabled upstream. */
export type UpstreamConfig = Config['upstreams'][number]

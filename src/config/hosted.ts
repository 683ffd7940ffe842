import { duration, listOf, size, text, wholeNumber } from './checks.ts'
import { defaultGroup, group, option } from './option.ts'

const quota = group({
  namespace: text('a pattern of a namespace such as team-*'),
  bytes: size().exactOptional(),
  tags: wholeNumber(0, 1_000_000_000).exactOptional(),
})

const retention = group({
  match: text('a pattern of a repository such as team/*'),
  keepLast: wholeNumber(0, 1_000_000_000).exactOptional(),
  keepYounger: duration().exactOptional(),
  keepTags: listOf(text('a pattern of a tag such as v*'), 'patterns of tags').exactOptional(),
  keepEarlier: wholeNumber(0, 1000).exactOptional(),
})

const namespaceName = /^[a-z0-9]+(?:(?:_|__|-+)[a-z0-9]+)*$/

/** The options of what is hosted. */
export const hosted = defaultGroup({
  namespaces: option(
    listOf(text('lower-case letters and digits with - or _ between them', namespaceName), 'namespaces').prefault([]),
    'namespaces hosted here, besides those that `berth namespace add` made',
  ),
  immutableTags: option(
    listOf(text('a pattern such as team/app:v*'), 'patterns of REPOSITORY:TAG').prefault([]),
    'tags that cannot be changed or deleted once they are pushed',
  ),
  quotas: option(
    listOf(quota, '{ namespace, bytes, tags }').prefault([]),
    'most bytes and tags by pattern of NAMESPACE, first match wins',
  ),
  retention: option(
    listOf(retention, '{ match, keepLast, keepYounger, keepTags, keepEarlier }').prefault([]),
    'tags that stay, by pattern of REPOSITORY, first match wins, and how many digests that each had before (keepEarlier); no rule keeps all tags',
  ),
  collection: defaultGroup({
    every: option(duration().prefault('1h'), 'time between collections of what nothing reaches'),
    grace: option(duration().prefault('1d'), 'how long a pushed blob may wait for a manifest that names it'),
    untagged: option(
      duration().prefault('30d'),
      'how long a manifest that nothing reaches is kept after its push, last pull by digest, or loss of its tag',
    ),
  }),
})

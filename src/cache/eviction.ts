import type { Digest } from '../oci/digest.ts'
import type { EvictionCandidate } from '../metadata/metadata.ts'

/** What is kept, and what may not go. */
export interface EvictionRules {
  /** The most bytes kept. */
  maxBytes: number
  /** Bytes to be freed on the disk beyond that; 0 when there is room enough. */
  toFree: number
  /** How long something of an upstream may lie unused, in milliseconds; Infinity where it may for ever. */
  maxIdle: (upstream: string) => number
  /** What is being read or filled, or pinned. */
  mustStay: (digest: Digest) => boolean
  now: number
}

/** Once something must go, a little more goes: evicting is done in strokes, not for each blob that comes. */
const lowWatermark = 0.9

/**
 * What to evict of `candidates`, the least recently used first, where `bytes` is what is kept altogether. What lay idle
 * too long goes in any case; the rest only until there is room again.
 */
export function chooseEvictions(
  candidates: readonly EvictionCandidate[],
  bytes: number,
  rules: EvictionRules,
): EvictionCandidate[] {
  const chosen: EvictionCandidate[] = []
  const target = bytes > rules.maxBytes ? rules.maxBytes * lowWatermark : bytes
  let excess = Math.max(bytes - target, rules.toFree)
  for (const candidate of [...candidates].sort((a, b) => a.usedAt - b.usedAt)) {
    if (rules.mustStay(candidate.digest)) continue
    if (excess <= 0 && !isIdle(candidate, rules)) continue
    chosen.push(candidate)
    excess -= candidate.size
  }
  return chosen
}

/** Shared content is idle only when it is for each upstream that has it. */
function isIdle({ usedAt, upstreams }: EvictionCandidate, { maxIdle, now }: EvictionRules): boolean {
  const longest = upstreams.length === 0 ? Infinity : Math.max(...upstreams.map(maxIdle))
  return now - usedAt > longest
}

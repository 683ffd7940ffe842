import { wholeNumber } from './checks.ts'
import { defaultGroup, option } from './option.ts'

/** What one client may have, by its address. */
export const limits = defaultGroup({
  requestsAtOnce: option(
    wholeNumber(1, 1_000_000).prefault(1_000),
    'requests of one client (an address, or the /64 of an IPv6 one) that are answered at the same time; more stand in line, at last for a 429',
  ),
  requestsPerSecond: option(
    wholeNumber(1, 1_000_000).exactOptional(),
    'requests of one client each second, on an average over ten, after which they are held back, at last for a 429; without it as many as it likes',
  ),
})

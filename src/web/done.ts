import type { WebCall } from './call.ts'
import { bytes } from './format.ts'

const texts: Record<string, (amount: number) => string> = {
  deleted: () => 'Deleted.',
  tagged: () => 'Tagged.',
  rolledback: () => 'Rolled back: the tag means what it meant before.',
  pinnedto: () => 'Pinned: pulls of this tag get this digest until it is released.',
  released: () => 'Released: the tag is what its upstream says again.',
  checked: () => 'The upstream was asked: this is what it says now.',
  evicted: (amount) => (amount === 0 ? 'There was nothing to evict.' : `Evicted: ${bytes(amount)} are free again.`),
  fetching: () => 'Being fetched: the pages of the cache and of warm lists show how far it is.',
  pinned: () => 'Pinned: it is not evicted any more.',
  unpinned: () => 'Unpinned.',
  revoked: () => 'Revoked: it is refused within seconds.',
  password: () => 'The password is changed.',
  added: () => 'Added.',
  changed: () => 'Changed.',
  removed: () => 'Removed.',
  public: () => 'Public: everybody may pull it.',
  private: () => 'Private: it is for those who may see it.',
  warming: () => 'Being fetched, after what people pull.',
  stopped: () => 'Stopped: what was fetched stays.',
  tested: () => 'The receiver took the test event.',
  sent: (amount) =>
    amount === 0 ? 'Nothing of it waits any more.' : 'Being sent again: load the page anew to see how it went.',
  described: () => 'Saved.',
  collected: (amount) => (amount === 0 ? 'There was nothing to collect.' : `Collected ${amount} things.`),
}

/** What an action did, that led to this page: it stands in the address, as one of these words and a number. */
export function doneText(call: WebCall): string | undefined {
  const amount = Number(call.text('amount'))
  return texts[call.text('done')]?.(Number.isFinite(amount) && amount >= 0 ? amount : 0)
}

import type { ByteRange } from '../oci/range.ts'
import type { Blob } from '../oci/registry.ts'
import type { Bandwidth } from './bandwidth.ts'

/** Where a fill gets its bytes: one repository of one upstream. */
export interface FillSource {
  readonly upstream: string
  readonly repository: string
  /** The upstream's cap, if it has one. */
  readonly bandwidth?: Bandwidth | undefined
  /** Reads what comes, at whatever pace it does: nothing is fetched sooner for its sake, but all of it is. */
  readonly background?: boolean | undefined
  getBlob(range?: ByteRange): Promise<Blob>
  /** Is told how the upstream takes this repository's asking: that it answered, or why it refused. */
  readonly heard?: (outcome: 'answered' | Error) => void
}

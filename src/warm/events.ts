import type { WarmOutcome } from '../metadata/metadata.ts'

/** What warming tells. `list` is undefined where somebody named references by hand. */
export type WarmEvent =
  | { readonly type: 'warm-run-started'; readonly list: string | undefined; readonly run: number }
  | {
      readonly type: 'warm-run-ended'
      readonly list: string | undefined
      readonly run: number
      readonly outcome: WarmOutcome
      /** How many references it had, and how many of them are not `ok`. */
      readonly references: number
      readonly wanting: number
      /** Of blobs that were not here before. */
      readonly bytes: number
    }
  | {
      readonly type: 'warm-reference'
      readonly list: string | undefined
      readonly reference: string
      readonly outcome: Exclude<WarmOutcome, 'stopped'>
      readonly message: string | undefined
      readonly bytes: number
    }

export type ReportWarmEvent = (event: WarmEvent) => void

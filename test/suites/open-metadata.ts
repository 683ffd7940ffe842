import { afterEach, beforeEach } from 'vitest'
import type { Metadata } from '../../src/metadata/metadata.ts'

/** Makes an empty database; opening it again finds what was written. */
export type MakeMetadata = () => Promise<{ open: () => Metadata }>

export interface Database {
  /** Opens it once more, beside the one in use. Whoever does so closes it. */
  open: () => Metadata
  /** Closes it and opens it again, as the next process does. */
  again: () => Promise<void>
}

/** An empty database for each test of the describe around: `use` is told whenever it was opened; closed after the test. */
export function openForEach(make: MakeMetadata, use: (metadata: Metadata) => void): Database {
  let made: Awaited<ReturnType<MakeMetadata>>
  let metadata: Metadata
  const open = () => use((metadata = made.open()))
  beforeEach(async () => {
    made = await make()
    open()
  })
  afterEach(() => metadata.close())
  return {
    open: () => made.open(),
    again: async () => {
      await metadata.close()
      open()
    },
  }
}

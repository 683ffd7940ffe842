/** How many repositories, or tags, one page of a list has. */
export const pageSize = 50

export interface Page<T> {
  readonly items: readonly T[]
  /** From 1. */
  readonly page: number
  /** Whether there are more behind it. */
  readonly more: boolean
}

/**
 * One page of what passes `filter`, from a list read in batches: pages are full, and what is filtered out leaves no trace.
 * `page` counts from 1.
 */
export async function filteredPage<T>(
  read: (offset: number, limit: number) => Promise<readonly T[]>,
  filter: (item: T) => Promise<boolean>,
  page: number,
): Promise<Page<T>> {
  const items: T[] = []
  let toSkip = (page - 1) * pageSize
  const batch = pageSize * 4
  for (let offset = 0; ; offset += batch) {
    const found = await read(offset, batch)
    for (const item of found) {
      if (!(await filter(item))) continue
      if (toSkip > 0) toSkip--
      else if (items.length === pageSize) return { items, page, more: true }
      else items.push(item)
    }
    if (found.length < batch) return { items, page, more: false }
  }
}

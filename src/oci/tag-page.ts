import type { Tag } from './reference.ts'
import type { TagPage, TagQuery } from './registry.ts'

/** The tags after `last`, at most `n`; `all` is in lexical order. */
export function pageOf(all: Tag[], { n, last }: TagQuery): TagPage {
  const after = last === undefined ? all : all.filter((tag) => tag > last)
  const tags = after.slice(0, n)
  return { tags, more: n !== undefined && n > 0 && after.length > n }
}

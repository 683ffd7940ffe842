/** A predicate for names, from a pattern: `*` is any run within a path component, `**` any run at all. */
export function namePattern(pattern: string): (name: string) => boolean {
  const source = pattern
    .split(/(\*\*|\*)/)
    .map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')))
    .join('')
  const expression = new RegExp(`^${source}$`)
  return (name) => expression.test(name)
}

/**
 * A predicate for names, from a pattern: `*` is any run within a path component, `**` any run at all. Users write patterns, too:
 * whatever they write, a name is compared soon, as by no regular expression.
 */
export function namePattern(pattern: string): (name: string) => boolean {
  const parts = pattern.split(/(\*\*|\*)/).filter((part) => part !== '')
  return (name) => fits(parts, name)
}

/** Where to go on when what follows a star does not fit: it takes one more character. */
interface Star {
  /** The part behind it. */
  readonly next: number
  /** Where in the name it ends, as far as is known. */
  end: number
}

/** Only the last star of each kind is ever tried again: what comes before fits where it fits first, or nowhere. */
function fits(parts: readonly string[], name: string): boolean {
  let within: Star | undefined
  let any: Star | undefined
  for (let part = 0, at = 0; part < parts.length || at < name.length;) {
    const text = parts[part]
    if (text === '*') within = { next: ++part, end: at }
    else if (text === '**') {
      any = { next: ++part, end: at }
      within = undefined
    } else if (text !== undefined && name.startsWith(text, at)) {
      at += text.length
      part++
    } else if (within && within.end < name.length && name[within.end] !== '/') {
      at = ++within.end
      part = within.next
    } else if (any && any.end < name.length) {
      at = ++any.end
      part = any.next
      within = undefined
    } else return false
  }
  return true
}

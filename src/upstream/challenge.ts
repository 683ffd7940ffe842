/** One challenge of a WWW-Authenticate header; scheme and parameter names in lower case. */
export interface Challenge {
  readonly scheme: string
  readonly params: Readonly<Record<string, string>>
}

/**
 * Reads WWW-Authenticate by the grammar of RFC 9110, 11.6.1: several challenges in one header or in several, in any order,
 * quoted values that hold commas and escapes. What breaks the grammar is skipped up to the next comma; never throws.
 */
export function parseChallenges(header: string | string[] | undefined): Challenge[] {
  const text = Array.isArray(header) ? header.join(', ') : (header ?? '')
  return new ChallengeReader(text).read()
}

class ChallengeReader {
  #at = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  read(): Challenge[] {
    const challenges: { scheme: string; params: Record<string, string> }[] = []
    while (this.#at < this.#text.length) {
      this.#skip(/[\s,]+/y)
      const token = this.#take(/[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y)
      if (token === undefined) this.#skip(/[^,]*/y)
      else if (this.#skip(/\s*=\s*(?=[^\s=,])/y)) {
        // A parameter belongs to the challenge before it: only a scheme stands without `=`.
        const value = this.#value()
        const current = challenges.at(-1)
        if (current && value !== undefined) current.params[token.toLowerCase()] ??= value
      } else {
        challenges.push({ scheme: token.toLowerCase(), params: {} })
        // token68 (as of Negotiate) says nothing to us.
        this.#skip(/\s+[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y)
      }
    }
    return challenges
  }

  #value(): string | undefined {
    const quoted = this.#take(/"(?:[^"\\]|\\[\s\S])*"/y)
    if (quoted !== undefined) return quoted.slice(1, -1).replace(/\\([\s\S])/g, '$1')
    return this.#take(/[^\s,"]+/y)
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found) this.#at += found.length
    return found || undefined
  }

  #skip(pattern: RegExp): boolean {
    return this.#take(pattern) !== undefined
  }
}

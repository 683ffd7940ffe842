/** A clock that a test moves by hand. Starts at a round, recognisable time. */
export interface TestClock {
  /** Milliseconds since 1970. */
  now(): number
  advance(milliseconds: number): void
}

export function makeClock(start = Date.UTC(2030, 0, 1)): TestClock {
  let time = start
  return {
    now: () => time,
    advance: (milliseconds) => {
      time += milliseconds
    },
  }
}

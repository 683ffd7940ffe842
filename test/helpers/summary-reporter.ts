import type { Reporter, TestModule } from 'vitest/node'

/**
 * Prints one closing line, `N passed, N failed, N skipped`, which a script can read; before it each skip with its reason,
 * and each test that failed at first.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    const told: string[] = []
    for (const module of modules) {
      if (module.children.size === 0 && !module.ok()) count.failed++
      for (const test of module.children.allTests()) {
        const result = test.result()
        count[result.state]++
        if (result.state === 'skipped') told.push(`skipped: ${test.fullName}: ${result.note ?? 'no reason given'}`)
        if (test.diagnostic()?.flaky) told.push(`failed at first: ${test.fullName}: ${result.errors?.[0]?.message}`)
      }
    }
    console.log(['', ...told].join('\n'))
    console.log(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
  }
}

import type { Reporter, TestModule } from 'vitest/node'

/** Prints one closing line, `N passed, N failed, N skipped`, which a script can read; and each skip with its reason. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) {
      if (module.children.size === 0 && !module.ok()) count.failed++
      for (const test of module.children.allTests()) count[test.result().state]++
    }
    console.log(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
  }
}

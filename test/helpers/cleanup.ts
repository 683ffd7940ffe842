/**
 * Runs `stop` when the running test ends. Outside a test, in a hook such as beforeAll or in a program of its own, nothing
 * happens and the caller stops what it started.
 */
export async function atTestEnd(stop: () => unknown): Promise<void> {
  if (!process.env.VITEST) return
  const { expect, onTestFinished } = await import('vitest')
  if (expect.getState().currentTestName === undefined) return
  try {
    onTestFinished(async () => void (await stop()))
  } catch {
    // beforeAll and afterAll: there is no test to end.
  }
}

/**
 * Runs `stop` when the running test ends. Outside a test, in a hook such as beforeAll or in a program of its own, nothing
 * happens, the answer is false and the caller stops what it started.
 */
export async function atTestEnd(stop: () => unknown): Promise<boolean> {
  if (!process.env.VITEST) return false
  const { expect, onTestFinished } = await import('vitest')
  if (expect.getState().currentTestName === undefined) return false
  try {
    onTestFinished(async () => void (await stop()))
    return true
  } catch {
    // beforeAll and afterAll: there is no test to end.
    return false
  }
}

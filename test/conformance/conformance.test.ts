import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeFolder } from '../helpers/folder.ts'
import { startBerth } from '../helpers/start.ts'
import { describeTool, runTool } from '../helpers/tools.ts'

// https://github.com/opencontainers/distribution-spec/tree/main/conformance: it ends with 1 when anything fails. What it counts
// as skipped is counted here too: Berth leaves nothing out.
describeTool('the OCI conformance suite', { tools: ['conformance'] }, () => {
  it.each(['1.1', 'dev'])(
    'finds nothing failed and nothing skipped of version %s',
    { timeout: 120_000 },
    async (version) => {
      const berth = await startBerth({
        access: { anonymous: 'push' },
        hosted: { namespaces: ['conformance'] },
      })
      const results = makeFolder()
      const { stdout, stderr } = await runTool('conformance', [], {
        cwd: results,
        deadline: 100_000,
        env: {
          OCI_REGISTRY: berth.host,
          OCI_TLS: 'disabled',
          OCI_VERSION: version,
          OCI_REPO1: 'conformance/repo1',
          OCI_REPO2: 'conformance/repo2',
          OCI_USERNAME: '',
          OCI_PASSWORD: '',
          OCI_RESULTS_DIR: results,
          OCI_LOG: 'warn',
        },
      })
      const said = stdout + stderr
      const count = (what: string) => Number(new RegExp(`^ *${what}\\.+: +(\\d+)`, 'm').exec(said)?.[1])
      expect({ failed: count('FAIL'), skipped: count('Skip') }, said).toEqual({ failed: 0, skipped: 0 })
      expect(readFileSync(join(results, 'junit.xml'), 'utf8')).toContain('<testsuite')
    },
  )
})

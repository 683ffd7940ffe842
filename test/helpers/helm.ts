import { join } from 'node:path'
import { makeFolder } from './folder.ts'
import { runTool } from './tools.ts'

/** helm on a machine of its own: with nothing in its cache, and nobody logged in. Commands run in its `home`. */
export function makeHelm() {
  const home = makeFolder()
  const env = {
    HOME: home,
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_CONFIG_HOME: join(home, 'config'),
    HELM_DATA_HOME: join(home, 'data'),
  }
  /** Tells what helm printed; rejects when it failed. */
  const helm = async (...args: string[]): Promise<string> => (await runTool('helm', args, { cwd: home, env })).stdout
  const plain = '--plain-http'
  return {
    helm,
    login: (host: string, user: string, password: string) =>
      helm('registry', 'login', host, plain, '-u', user, '-p', password),
    logout: (host: string) => helm('registry', 'logout', host),
    /** Makes a chart `hello` of version 0.1.0 and pushes it to `charts`, an oci:// address. */
    pushChart: async (charts: string) => {
      await helm('create', 'hello')
      await helm('package', 'hello')
      await helm('push', 'hello-0.1.0.tgz', charts, plain)
    },
    /** A chart's description of itself. */
    show: (chart: string) => helm('show', 'chart', chart, plain),
    /** Pulls a chart and renders it. */
    template: (chart: string) => helm('template', 'greeter', chart, '--version', '0.1.0', plain),
  }
}

import { join } from 'node:path'
import { expect, it } from 'vitest'
import { helmChart } from '../helpers/artifacts.ts'
import { makeFolder } from '../helpers/folder.ts'
import { startBerth } from '../helpers/start.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { startUpstream } from '../helpers/upstream.ts'

describeTool('helm, with the registry in the name', { tools: ['helm'] }, () => {
  it('pulls a chart, once from the upstream and then from the cache while the upstream is down', async () => {
    const upstream = await startUpstream({ content: { 'charts/hello': helmChart() }, auth: { kind: 'bearer' } })
    const berth = await startBerth({ upstreams: [{ name: 'ghcr.io', url: upstream.url, freshness: 'never' }] })
    const chart = `oci://${berth.host}/ghcr.io/charts/hello`

    expect(await template(chart)).toContain('greeting: hello')
    expect(upstream.count(/GET .*\/blobs\/.* 200/)).toBe(2)
    await upstream.stop()
    expect(await template(chart)).toContain('greeting: hello')
  })

  it('finds the newest version of a chart by the tags of the upstream', async () => {
    const upstream = await startUpstream({ content: { 'charts/hello': helmChart('hello', '0.1.0') } })
    upstream.push('charts/hello', helmChart('hello', '0.2.0'))
    const berth = await startBerth({ upstreams: [{ name: 'ghcr.io', url: upstream.url }] })

    expect(await show(`oci://${berth.host}/ghcr.io/charts/hello`)).toContain('version: 0.2.0')
  })
})

/** Pulls a chart and renders it. */
async function template(chart: string): Promise<string> {
  return helm('template', 'greeter', chart, '--version', '0.1.0', '--plain-http')
}

async function show(chart: string): Promise<string> {
  return helm('show', 'chart', chart, '--plain-http')
}

/** helm with nothing in its cache. */
async function helm(...args: string[]): Promise<string> {
  const folder = makeFolder()
  const env = {
    HOME: folder,
    HELM_CACHE_HOME: join(folder, 'cache'),
    HELM_CONFIG_HOME: join(folder, 'config'),
    HELM_DATA_HOME: join(folder, 'data'),
  }
  return (await runTool('helm', args, { env })).stdout
}

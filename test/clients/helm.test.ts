import { expect, it } from 'vitest'
import { helmChart } from '../helpers/artifacts.ts'
import { makeHelm } from '../helpers/helm.ts'
import { startBerth } from '../helpers/start.ts'
import { describeTool } from '../helpers/tools.ts'
import { startUpstream } from '../helpers/upstream.ts'

describeTool('helm, with the registry in the name', { tools: ['helm'] }, () => {
  it('pulls a chart, once from the upstream and then from the cache while the upstream is down', async () => {
    const upstream = await startUpstream({ content: { 'charts/hello': helmChart() }, auth: { kind: 'bearer' } })
    const berth = await startBerth({ upstreams: [{ name: 'ghcr.io', url: upstream.url, freshness: 'never' }] })
    const chart = `oci://${berth.host}/ghcr.io/charts/hello`

    expect(await makeHelm().template(chart)).toContain('greeting: hello')
    expect(upstream.count(/GET .*\/blobs\/.* 200/)).toBe(2)
    await upstream.stop()
    expect(await makeHelm().template(chart)).toContain('greeting: hello')
  })

  it('finds the newest version of a chart by the tags of the upstream', async () => {
    const upstream = await startUpstream({ content: { 'charts/hello': helmChart('hello', '0.1.0') } })
    upstream.push('charts/hello', helmChart('hello', '0.2.0'))
    const berth = await startBerth({ upstreams: [{ name: 'ghcr.io', url: upstream.url }] })

    expect(await makeHelm().show(`oci://${berth.host}/ghcr.io/charts/hello`)).toContain('version: 0.2.0')
  })
})

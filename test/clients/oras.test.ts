import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { orasArtifact } from '../helpers/artifacts.ts'
import { makeFolder } from '../helpers/folder.ts'
import { partsOfLayout, platform } from '../helpers/image-parts.ts'
import { startBerth } from '../helpers/start.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { startUpstream } from '../helpers/upstream.ts'
import { imageTools, testPulls, type Client } from '../suites/client.ts'

describeTool('oras, with the registry in the name', { tools: ['oras', ...imageTools] }, () => {
  testPulls((berth) => newOras(berth.host))

  it('pulls the files of an artifact, an empty one too, again while the upstream is down', async () => {
    const { artifact, upstream } = await startArtifact()
    for (const down of [false, true]) {
      if (down) await upstream.stop()
      const folder = makeFolder()
      await oras('pull', '--plain-http', '--output', folder, artifact)
      expect(readFileSync(join(folder, 'hello.txt'), 'utf8')).toBe('hello\n')
      expect(readFileSync(join(folder, 'empty.txt'), 'utf8')).toBe('')
    }
  })

  it('discovers the referrers of an artifact', async () => {
    const { artifact, upstream } = await startArtifact()
    const found = await oras('discover', '--plain-http', '--format=json', artifact)
    for (const name of ['signature', 'sbom']) expect(found).toContain(upstream.content.digest('example/greeting', name))
  })
})

async function startArtifact() {
  const upstream = await startUpstream({ content: { 'example/greeting': orasArtifact() }, cdn: {} })
  const berth = await startBerth({ upstreams: [{ name: 'ghcr.io', url: upstream.url, freshness: 'never' }] })
  return { upstream, artifact: `${berth.host}/ghcr.io/example/greeting:1` }
}

function newOras(host: string): Client {
  const pull = async (reference: string): Promise<string[]> => {
    const layout = join(makeFolder(), 'layout')
    const from = ['--from-plain-http', '--platform', platform, `${host}/docker.io/${reference}`]
    await oras('copy', ...from, '--to-oci-layout', `${layout}:copied`)
    return (await partsOfLayout(layout)).diffIds
  }
  return { pull }
}

async function oras(...args: string[]): Promise<string> {
  return (await runTool('oras', args, { env: { HOME: makeFolder() } })).stdout
}

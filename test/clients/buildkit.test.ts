import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { startBuildkitd } from '../helpers/daemons.ts'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { pushTools, startPushScene } from '../suites/push-scene.ts'

describeTool('BuildKit', { tools: ['buildkitd', 'buildctl', 'runc', ...pushTools], root: true }, () => {
  it('builds, pushes the image and its cache, and builds elsewhere from that cache (cases 49, 50)', async () => {
    const { host, url, home, source, digestOf, expectWhole } = await startPushScene()
    const context = makeFolder({
      Dockerfile: `FROM ${source.image}\nCOPY a.txt /\nFROM ${source.image}\nCOPY --from=0 /a.txt /b.txt\nCOPY a.txt /\n`,
      'a.txt': 'built\n',
    })
    /** A build in a BuildKit that has nothing yet; returns what it printed. */
    const build = async (tag: string, ...options: string[]) => {
      const daemon = await startBuildkitd()
      onTestFinished(() => daemon.stop())
      const output = `type=image,name=${host}/team/built:${tag},push=true,oci-mediatypes=true`
      const files = ['--local', `context=${context}`, '--local', `dockerfile=${context}`]
      const args = ['build', '--progress=plain', '--frontend=dockerfile.v0', ...files, '--output', output, ...options]
      const env = { HOME: home, DOCKER_CONFIG: join(home, '.docker') }
      return (await runTool('buildctl', ['--addr', `unix://${daemon.socket}`, ...args], { env })).stderr
    }
    const cache = `${host}/team/cache`
    await build(
      '1',
      '--export-cache',
      `type=registry,ref=${cache}:image,mode=max,image-manifest=true,oci-mediatypes=true`,
    )
    expect(await typeOf(url, 'team/cache', 'image')).toContain('image.manifest')
    // The older form is an index that lists layers.
    await build('2', '--export-cache', `type=registry,ref=${cache}:index,mode=max,image-manifest=false`)
    expect(await typeOf(url, 'team/cache', 'index')).toMatch(/image\.index|manifest\.list/)
    for (const form of ['image', 'index']) {
      const printed = await build(form, '--import-cache', `type=registry,ref=${cache}:${form}`)
      expect(printed).toMatch(/importing cache manifest/)
      expect(printed).toMatch(/COPY a\.txt \/\n[^]*CACHED/)
      expect(await digestOf('team/built', form)).toMatch(/^sha256:/)
    }
    await expectWhole('team/built', '1')
  })
})

async function typeOf(url: string, name: string, tag: string): Promise<string> {
  const { status, headers } = await fetchRaw(`${url}/v2/${name}/manifests/${tag}`)
  expect(status).toBe(200)
  return String(headers['content-type'])
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeFolder } from '../helpers/folder.ts'
import { makeHelm } from '../helpers/helm.ts'
import { fetchRaw } from '../helpers/http.ts'
import { sha256 } from '../helpers/push.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { pushTools, startPushScene, user } from '../suites/push-scene.ts'

// Clients that copy between registries. What they push is what the upstream has, to the last byte.

describeTool('skopeo', { tools: ['skopeo', ...pushTools] }, () => {
  const start = async () => {
    const scene = await startPushScene()
    const env = { HOME: scene.home, REGISTRY_AUTH_FILE: join(scene.home, '.docker', 'config.json') }
    const skopeo = (command: string, ...args: string[]) =>
      runTool('skopeo', [command, '--src-tls-verify=false', '--dest-tls-verify=false', ...args], { env })
    const copy = (from: string, to: string, ...more: string[]) =>
      skopeo('copy', ...more, `docker://${from}`, `docker://${to}`)
    return { ...scene, skopeo, copy }
  }

  it('copies an image, and an index with all that it lists', async () => {
    const { host, source, digests, digestOf, expectPulled, expectWhole, copy } = await start()
    await copy(source.image, `${host}/team/busybox:1`)
    expect(await digestOf('team/busybox')).toBe(digests.image)
    await copy(source.index, `${host}/team/multi:1`, '--all')
    expect(await digestOf('team/multi')).toBe(digests.index)
    // Every layer is here already: mounted from the other repository.
    await copy(`${host}/team/multi:1`, `${host}/team/again:1`, '--all')
    expect(await digestOf('team/again')).toBe(digests.index)
    for (const name of ['team/multi', 'team/again']) await expectWhole(name)
    await expectPulled('team/busybox')
  })

  it('syncs a repository with all its tags, and from here to elsewhere', async () => {
    const { host, source, digests, digestOf, expectWhole, skopeo } = await start()
    const [repository = ''] = source.index.split(/:1$/)
    await skopeo('sync', '--all', '--src=docker', '--dest=docker', repository, `${host}/team`)
    expect(await digestOf('team/multi')).toBe(digests.index)
    await expectWhole('team/multi')
    const folder = makeFolder()
    await skopeo('sync', '--all', '--src=docker', '--dest=dir', `${host}/team/multi`, folder)
    const manifest = readFileSync(join(folder, 'multi:1', 'manifest.json'))
    expect(sha256(manifest)).toBe(digests.index)
  })
})

describeTool('crane', { tools: pushTools }, () => {
  it('copies, pushes, appends, mutates, tags, lists and deletes', async () => {
    const { host, url, home, source, digests, digestOf, expectPulled, expectWhole } = await startPushScene()
    const crane = async (...args: string[]) => (await runTool('crane', args, { env: { HOME: home } })).stdout.trim()
    await crane('copy', source.index, `${host}/team/multi:1`)
    expect(await digestOf('team/multi')).toBe(digests.index)
    const layout = join(makeFolder(), 'layout')
    await crane('pull', '--format=oci', source.image, layout)
    await crane('push', layout, `${host}/team/app:1`)
    expect(await digestOf('team/app')).toBe(digests.image)
    await expectPulled('team/app')

    const layer = join(makeFolder({ 'added.txt': 'more\n' }), 'layer.tar')
    await runTool('tar', ['-cf', layer, '-C', join(layer, '..'), 'added.txt'])
    await crane('append', '--base', `${host}/team/app:1`, '--new_layer', layer, '--new_tag', `${host}/team/app:2`)
    await crane('mutate', `${host}/team/app:2`, '--label', 'a=b', '--tag', `${host}/team/app:3`)
    await expectWhole('team/app', '3')
    await crane('tag', `${host}/team/app:3`, 'latest')
    expect(await crane('config', `${host}/team/app:latest`)).toContain('"a":"b"')
    expect((await crane('ls', `${host}/team/app`)).split('\n')).toEqual(['1', '2', '3', 'latest'])
    expect((await crane('catalog', host)).split('\n')).toEqual(['team/app', 'team/multi'])
    await crane('delete', `${host}/team/app:2`)
    expect((await fetchRaw(`${url}/v2/team/app/manifests/2`)).status).toBe(404)
  })

  it('rebases an image onto another base', async () => {
    const { host, home, source, expectWhole } = await startPushScene()
    const crane = async (...args: string[]) => (await runTool('crane', args, { env: { HOME: home } })).stdout.trim()
    const folder = makeFolder({ 'old.txt': 'old\n', 'new.txt': 'new\n', 'app.txt': 'app\n' })
    const image = (tag: string) => `${host}/team/app:${tag}`
    const append = async (base: string, file: string, tag: string) => {
      await runTool('tar', ['-cf', join(folder, `${tag}.tar`), '-C', folder, file])
      await crane('append', '--base', base, '--new_layer', join(folder, `${tag}.tar`), '--new_tag', image(tag))
    }
    await append(source.image, 'old.txt', 'old')
    await append(source.image, 'new.txt', 'new')
    await append(image('old'), 'app.txt', 'app')
    const bases = ['--old_base', image('old'), '--new_base', image('new')]
    await crane('rebase', image('app'), ...bases, '--tag', image('rebased'))
    await expectWhole('team/app', 'rebased')
    const diffIds = async (tag: string) =>
      (JSON.parse(await crane('config', image(tag))) as { rootfs: { diff_ids: string[] } }).rootfs.diff_ids
    expect(await diffIds('rebased')).toEqual([...(await diffIds('new')), (await diffIds('app')).at(-1)])
  })
})

describeTool('regctl', { tools: ['regctl', ...pushTools] }, () => {
  it('copies an index with its referrers and lists tags', async () => {
    const { host, home, source, digests, digestOf, expectWhole } = await startPushScene()
    const regctl = async (...args: string[]) => {
      const plain = ['--host', `reg=${host},tls=disabled`]
      return (await runTool('regctl', [...plain, ...args], { env: { HOME: home } })).stdout.trim()
    }
    await regctl('image', 'copy', '--referrers', source.index, `${host}/team/multi:1`)
    expect(await digestOf('team/multi')).toBe(digests.index)
    await regctl('image', 'copy', `${host}/team/multi:1`, `${host}/team/other:1`)
    expect(await digestOf('team/other')).toBe(digests.index)
    await expectWhole('team/other')
    expect(await regctl('tag', 'ls', `${host}/team/multi`)).toBe('1')
  })
})

describeTool('oras', { tools: ['oras', ...pushTools] }, () => {
  it('pushes files, attaches to them, discovers what it attached, and pulls them', async () => {
    const { host, home, expectWhole } = await startPushScene()
    const folder = makeFolder({ 'hello.txt': 'hello\n', 'empty.txt': '', 'sbom.json': '{}' })
    const oras = async (...args: string[]) => {
      return (await runTool('oras', args, { cwd: folder, env: { HOME: home } })).stdout
    }
    const artifact = `${host}/team/greeting:1`
    const type = 'application/vnd.example.greeting'
    await oras(
      'push',
      '--plain-http',
      '--artifact-type',
      type,
      artifact,
      'hello.txt:text/plain',
      'empty.txt:text/plain',
    )
    await oras('attach', '--plain-http', '--artifact-type', 'application/vnd.example.sbom', artifact, 'sbom.json')
    expect(await oras('discover', '--plain-http', '--format=json', artifact)).toContain('application/vnd.example.sbom')
    const out = makeFolder()
    await oras('pull', '--plain-http', '--output', out, artifact)
    expect((await runTool('cat', [join(out, 'hello.txt')])).stdout).toBe('hello\n')
    await oras('copy', '-r', '--from-plain-http', '--to-plain-http', artifact, `${host}/team/copy:1`)
    expect(await oras('discover', '--plain-http', '--format=json', `${host}/team/copy:1`)).toContain('example.sbom')
    for (const name of ['team/greeting', 'team/copy']) await expectWhole(name)
  })
})

describeTool('helm', { tools: ['helm', ...pushTools] }, () => {
  it('logs in, pushes a chart and shows it', async () => {
    const { host, expectWhole } = await startPushScene()
    const { login, pushChart, show } = makeHelm()
    await login(host, user.username, user.password)
    await pushChart(`oci://${host}/team/charts`)
    expect(await show(`oci://${host}/team/charts/hello`)).toContain('version: 0.1.0')
    await expectWhole('team/charts/hello', '0.1.0')
  })
})

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { partsBelow, partsOfLayout, platform } from '../helpers/image-parts.ts'
import { busyboxImage, multiArchImage } from '../helpers/images.ts'
import { startBerth } from '../helpers/start.ts'
import { runTool } from '../helpers/tools.ts'
import { startUpstream } from '../helpers/upstream.ts'

export const user = { username: 'ann', password: 'correct horse' }

/** What the clients of these tests need besides themselves: crane is the other client, which pulls what they pushed. */
export const pushTools = ['busybox', 'zstd', 'crane']

export interface PushScene {
  /** `127.0.0.1:12345`. */
  readonly host: string
  readonly url: string
  /** An image to push, and an index of images, by Berth's address of the upstream that has them. */
  readonly source: { image: string; index: string }
  /** Their digests there. */
  readonly digests: { image: string; index: string }
  readonly diffIds: string[]
  /** A home with the user's login, as docker keeps it; every client reads that form. */
  readonly home: string
  /** The digest that a hosted tag means. */
  digestOf: (name: string, tag?: string) => Promise<string>
  /** Has crane pull a hosted image as a stranger, and compares all that it unpacks to. */
  expectPulled: (name: string, diffIds?: string[], tag?: string) => Promise<void>
  /** Has crane fetch, as a stranger, everything that a tag leads to, each thing by its digest. */
  expectWhole: (name: string, tag?: string) => Promise<void>
}

/** Berth with a namespace, `team`, in which one user may push and everybody pull, and an upstream with images. */
export async function startPushScene(): Promise<PushScene> {
  const content = { 'library/busybox': busyboxImage(), 'library/multi': multiArchImage() }
  const upstream = await startUpstream({ content })
  const berth = await startBerth({
    access: { user, policy: [{ match: 'team/**', pull: ['anyone'] }] },
    hosted: { namespaces: ['team'] },
    upstreams: [{ name: 'docker.io', url: upstream.url }],
  })
  const repository = upstream.content.in('library/busybox')
  const { diffIds } = await partsBelow(repository.digest('1'), (digest) => repository.json(digest))
  const { host, url } = berth
  const digestOf = async (name: string, tag = '1') => {
    const { status, headers } = await fetchRaw(`${url}/v2/${name}/manifests/${tag}`)
    expect(status).toBe(200)
    return headers['docker-content-digest'] as string
  }
  const expectPulled = async (name: string, wanted = diffIds, tag = '1') => {
    const layout = join(makeFolder(), 'layout')
    const args = ['pull', '--format=oci', `--platform=${platform}`, `${host}/${name}:${tag}`, layout]
    await runTool('crane', args, { env: { HOME: makeFolder() } })
    expect((await partsOfLayout(layout)).diffIds).toEqual(wanted)
  }
  const expectWhole = async (name: string, tag = '1') => {
    const layout = join(makeFolder(), 'layout')
    await runTool('crane', ['pull', '--format=oci', `${host}/${name}:${tag}`, layout], { env: { HOME: makeFolder() } })
    const { manifests } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as {
      manifests: { digest: string }[]
    }
    expect(manifests.map(({ digest }) => digest)).toEqual([await digestOf(name, tag)])
  }
  return {
    host,
    url,
    source: { image: `${host}/docker.io/library/busybox:1`, index: `${host}/docker.io/library/multi:1` },
    digests: { image: repository.digest('1'), index: upstream.content.digest('library/multi', '1') },
    diffIds,
    home: makeHome(host),
    digestOf,
    expectPulled,
    expectWhole,
  }
}

function makeHome(host: string): string {
  const home = makeFolder()
  const auth = Buffer.from(`${user.username}:${user.password}`).toString('base64')
  mkdirSync(join(home, '.docker'))
  writeFileSync(join(home, '.docker', 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }))
  return home
}

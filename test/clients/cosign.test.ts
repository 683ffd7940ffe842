import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeFolder } from '../helpers/folder.ts'
import { fetchRaw } from '../helpers/http.ts'
import { Pusher, startHosting } from '../helpers/push.ts'
import { attachByReferrer, attachByTag } from '../helpers/signing.ts'
import { builder, makeSigstore } from '../helpers/sigstore.ts'
import { startBerth } from '../helpers/start.ts'
import { describeTool, runTool } from '../helpers/tools.ts'
import { startUpstream } from '../helpers/upstream.ts'

describeTool('cosign', { tools: ['cosign'] }, () => {
  // Of the two forms in which it signs, the older one is left behind when asked for.
  it.each([
    ['a bundle', []],
    ['the tag sha256-<hex>.sig', ['--new-bundle-format=false']],
  ])(
    'signs what a rule then lets through, and verifies it through Berth, warm while it is down, with %s (case 48)',
    async (_form, form) => {
      const { registry, berth, cosign, key } = await startEnforcing()
      const pusher = new Pusher(registry.url)
      const [signed, unsigned] = [await pusher.image('signed', 'layer'), await pusher.image('unsigned', 'other')]
      const there = `${registry.host}/team/app@${signed}`
      await cosign('sign', '--key', join(key, 'cosign.key'), ...offline, ...form, '--yes', there)

      const status = async (path: string) => (await fetchRaw(`${berth.url}/v2/hub.test/team/app/${path}`)).status
      expect(await status('manifests/signed')).toBe(200)
      expect(await status(`manifests/${unsigned}`)).toBe(403)
      const verify = async (digest: string) => {
        const trust = ['--key', join(key, 'cosign.pub'), '--insecure-ignore-tlog=true', ...form]
        return cosign('verify', ...trust, `${berth.host}/hub.test/team/app@${digest}`)
      }
      expect(await verify(signed)).toContain(signed)
      await expect(verify(unsigned)).rejects.toThrow(/no signatures found/)
      await registry.stop()
      expect(await verify(signed)).toContain(signed)
      expect(await status('manifests/signed')).toBe(200)
    },
  )

  it.each(['simple', 'bundle'] as const)(
    'accepts, through Berth, the keyless signatures that other tests make, in the %s form',
    async (form) => {
      const sigstore = await makeSigstore()
      const image = { blobs: { a: '{}' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 1: 'm' } }
      const upstream = await startUpstream({ content: { 'org/app': image } })
      const digest = upstream.content.digest('org/app', 'm')
      const layer = await sigstore[form](digest)
      ;(form === 'simple' ? attachByTag : attachByReferrer)(upstream, 'org/app', digest, layer)
      const rule = { match: '**', policy: 'enforce', identities: [builder] }
      const berth = await startBerth({
        upstreams: [{ name: 'hub.test', url: upstream.url, signatures: [rule] }],
        signatures: { trustedRootFile: sigstore.rootFile },
      })
      const who = ['--certificate-identity', builder.subject, '--certificate-oidc-issuer', builder.issuer]
      const old = form === 'simple' ? ['--new-bundle-format=false'] : []
      const args = ['--trusted-root', sigstore.rootFile, ...who, ...old]
      expect(await cosignIn(makeFolder())('verify', ...args, `${berth.host}/hub.test/org/app:1`)).toContain(digest)
    },
  )
})

const offline = ['--use-signing-config=false', '--tlog-upload=false']

/** A registry to push to, and Berth in front of it, with a rule for the key that cosign made. */
async function startEnforcing() {
  const key = makeFolder()
  const cosign = cosignIn(key)
  await cosign('generate-key-pair')
  const registry = await startHosting()
  const rule = { match: 'team/**', policy: 'enforce', keys: [join(key, 'cosign.pub')] }
  const berth = await startBerth({ upstreams: [{ name: 'hub.test', url: registry.url, signatures: [rule] }] })
  return { registry, berth, cosign, key }
}

function cosignIn(folder: string) {
  const env = { HOME: folder, COSIGN_PASSWORD: '' }
  return async (...args: string[]) => (await runTool('cosign', args, { cwd: folder, env })).stdout
}

import { describe, expect, it } from 'vitest'
import { expectError } from '../helpers/api-table.ts'
import { fetchRaw } from '../helpers/http.ts'
import { basic, bearer, startWithUsers, tokenFor } from '../helpers/login.ts'
import { startBerth } from '../helpers/start.ts'
import { startUpstream } from '../helpers/upstream.ts'

const image = { blobs: { a: '0123456789' }, manifests: { m: { config: 'a', layers: ['a'] } }, tags: { 20: 'm' } }

describe('access.anonymous: none', () => {
  it('refuses all of the API, tells no name from another and asks no upstream', async () => {
    const upstream = await startUpstream({ content: { 'org/app': image } })
    const berth = await startBerth({
      access: { anonymous: 'none' },
      upstreams: [{ name: 'docker.io', url: upstream.url }],
    })
    const paths = [
      '/v2/',
      '/v2/_catalog',
      '/v2/org/app/manifests/20',
      '/v2/org/none/manifests/20',
      `/v2/org/app/blobs/${upstream.content.digest('org/app', 'a')}`,
      '/v2/org/app/tags/list',
      `/v2/org/app/referrers/${upstream.content.digest('org/app', 'm')}`,
    ]
    const answers = await Promise.all(paths.map((path) => fetchRaw(berth.url + path)))
    for (const answer of answers) {
      expect(answer.status).toBe(403)
      expectError(answer, 'DENIED')
      // dockerd answers any challenge of a mirror with the user's Docker Hub password.
      expect(answer.headers['www-authenticate']).toBeUndefined()
    }
    expect(new Set(answers.map((answer) => answer.text())).size).toBe(1)
    expect(upstream.requests).toEqual([])
  })

  it('asks to log in where there are users, and tells no name from another until then', async () => {
    const { url } = await startWithUsers({ access: { anonymous: 'none' } })
    const paths = ['org/app', 'team/open', 'team/app', 'nowhere.example.com/a/b', 'ghcr.io/a/b']
    for (const asked of ['manifests/1', `blobs/sha256:${'0'.repeat(64)}`, 'tags/list']) {
      const answers = await Promise.all(paths.map((path) => fetchRaw(`${url}/v2/${path}/${asked}`)))
      expect(new Set(answers.map((answer) => `${answer.status} ${answer.text()}`)).size).toBe(1)
      expectError(answers[0]!, 'UNAUTHORIZED')
    }
    expect((await fetchRaw(`${url}/docker.io/v2/`)).status).toBe(401)
    const nobody = await tokenFor(url, 'repository:org/app:pull')
    expect((await fetchRaw(`${url}/v2/`, { headers: bearer(nobody) })).status).toBe(401)
    expect((await fetchRaw(`${url}/v2/team/app/tags/list`, { headers: basic('carl') })).status).toBe(404)
  })

  it('leaves /healthz to probes', async () => {
    const berth = await startBerth({ access: { anonymous: 'none' } })
    expect((await fetchRaw(`${berth.url}/healthz`)).status).toBe(200)
  })
})

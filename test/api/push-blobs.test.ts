import { describe, expect, it } from 'vitest'
import { expectError } from '../helpers/api-table.ts'
import { makeBytes } from '../helpers/bytes.ts'
import { fetchRaw } from '../helpers/http.ts'
import { lengthOf, Pusher, sha256, sha512, startHosting } from '../helpers/push.ts'

// Every form in which clients push a blob. The numbers are of the field cases: 51 (forms), 52 (order), 53 (at once), 54 (empty).

const text = '0123456789'

async function start() {
  const { url } = await startHosting()
  return { url, pusher: new Pusher(url) }
}

async function expectHeld(pusher: Pusher, bytes: string | Uint8Array, digest = sha256(bytes)) {
  const { status, raw, headers } = await pusher.send('GET', `blobs/${digest}`)
  expect([status, raw.equals(Buffer.from(bytes))]).toEqual([200, true])
  expect(headers['docker-content-digest']).toBe(digest)
}

describe('a blob in one request', () => {
  it.each([
    ['ten bytes', text],
    ['no bytes (case 54)', ''],
  ])('end-4b POST ?digest= of %s: 201 with its place', async (_, bytes) => {
    const { pusher } = await start()
    const answer = await pusher.blob(bytes)
    expect(answer.status).toBe(201)
    expect(answer.headers.location).toBe(`/v2/team/app/blobs/${sha256(bytes)}`)
    expect(answer.headers['docker-content-digest']).toBe(sha256(bytes))
    await expectHeld(pusher, bytes)
  })

  it('by sha512 is found by sha512 (case 56)', async () => {
    const { pusher } = await start()
    expect((await pusher.blob(text, sha512(text))).status).toBe(201)
    await expectHeld(pusher, text, sha512(text))
  })

  it('with a digest percent-encoded, as some clients send it (case 51)', async () => {
    const { pusher } = await start()
    expect((await pusher.blob(text, encodeURIComponent(sha256(text)))).status).toBe(201)
  })

  it.each(['sha256:0', 'md5:00', 'nothing', `sha256:${'A'.repeat(64)}`])('with the digest %s: 400', async (digest) => {
    const { pusher } = await start()
    const answer = await pusher.blob(text, digest)
    expect(answer.status).toBe(400)
    expectError(answer, 'DIGEST_INVALID')
  })

  it('that is other bytes than its digest says: 400, and nothing is kept', async () => {
    const { pusher } = await start()
    const answer = await pusher.blob('other', sha256(text))
    expect(answer.status).toBe(400)
    expectError(answer, 'DIGEST_INVALID')
    expect(await pusher.status(`blobs/${sha256(text)}`)).toBe(404)
    expect(await pusher.status(`blobs/${sha256('other')}`)).toBe(404)
  })
})

describe('an upload in parts', () => {
  it.each([
    ['the specification says', '0-4', '5-9'],
    ['HTTP answers say', 'bytes 0-4/*', 'bytes 5-9/10'],
    ['no Content-Range, as docker does', undefined, undefined],
  ])('with ranges as %s: 202, 202, 201', async (_, first, second) => {
    const { pusher, url } = await start()
    let at = await pusher.open()
    for (const [part, range, end] of [
      ['01234', first, 4],
      ['56789', second, 9],
    ] as const) {
      const headers = { ...lengthOf(part), ...(range && { 'content-range': range }) }
      const answer = await fetchRaw(at, { method: 'PATCH', body: part, headers })
      expect([answer.status, answer.headers.range]).toEqual([202, `0-${end}`])
      expect(answer.headers['docker-upload-uuid']).toMatch(/./)
      at = url + answer.headers.location!
    }
    expect((await fetchRaw(`${at}?digest=${sha256(text)}`, { method: 'PUT' })).status).toBe(201)
    await expectHeld(pusher, text)
  })

  it('begins with where to send them, and that they may be of any length', async () => {
    const { headers, status } = await new Pusher((await startHosting()).url).send('POST', 'blobs/uploads/')
    expect([status, headers.range, headers['oci-chunk-min-length']]).toEqual([202, '0-0', '1'])
    expect(headers.location).toContain(headers['docker-upload-uuid'])
  })

  it('that are empty is the blob of no bytes (case 54)', async () => {
    const { pusher } = await start()
    const at = await pusher.open()
    for (const headers of [lengthOf(''), { 'transfer-encoding': 'chunked' }]) {
      const answer = await fetchRaw(at, { method: 'PATCH', body: '', headers })
      expect([answer.status, answer.headers.range]).toEqual([202, '0-0'])
    }
    expect((await fetchRaw(at)).headers.range).toBe('0-0')
    const end = await fetchRaw(`${at}?digest=${sha256('')}`, { method: 'PUT', body: '', headers: lengthOf('') })
    expect(end.status).toBe(201)
    expect((await pusher.send('HEAD', `blobs/${sha256('')}`)).headers['content-length']).toBe('0')
    await expectHeld(pusher, '')
  })

  it.each(['99999999999999999999-99999999999999999999', '9007199254740993-9007199254740997', '-5-0', '4-0', 'x-y'])(
    'with the Content-Range %s is refused, whatever a number can hold, and the upload lives',
    async (range) => {
      const { pusher } = await start()
      const at = await pusher.open()
      const headers = { ...lengthOf('01234'), 'content-range': range }
      expect((await fetchRaw(at, { method: 'PATCH', body: '01234', headers })).status).toBe(400)
      expect((await fetchRaw(at)).headers.range).toBe('0-0')
    },
  )

  it('of a stream without a length, its last part in the PUT', async () => {
    const { pusher } = await start()
    const at = await pusher.open()
    const chunked = { 'transfer-encoding': 'chunked' }
    expect((await fetchRaw(at, { method: 'PATCH', body: '01234', headers: chunked })).status).toBe(202)
    const end = await fetchRaw(`${at}?digest=${sha256(text)}`, { method: 'PUT', body: '56789', headers: chunked })
    expect(end.status).toBe(201)
    await expectHeld(pusher, text)
  })

  it.each(['5-9', '0-4', '99-103'])(
    'out of order (%s after two bytes): 416 with where to go on, and the upload lives (case 52)',
    async (range) => {
      const { pusher } = await start()
      const at = await pusher.open()
      await fetchRaw(at, { method: 'PATCH', body: '01', headers: lengthOf('01') })
      const headers = { ...lengthOf('xxxxx'), 'content-range': range }
      const refused = await fetchRaw(at, { method: 'PATCH', body: 'xxxxx', headers })
      expect([refused.status, refused.headers.range]).toEqual([416, '0-1'])
      expect(at).toContain(refused.headers.location)
      const status = await fetchRaw(at)
      expect([status.status, status.headers.range]).toEqual([204, '0-1'])
      const end = await fetchRaw(`${at}?digest=${sha256(text)}`, { method: 'PUT', body: text.slice(2) })
      expect(end.status).toBe(201)
    },
  )

  it('end-14 DELETE ends it: 204, then 404', async () => {
    const { pusher } = await start()
    const at = await pusher.open()
    expect((await fetchRaw(at, { method: 'DELETE' })).status).toBe(204)
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const answer = await fetchRaw(at, { method })
      expect(answer.status).toBe(404)
      expectError(answer, 'BLOB_UPLOAD_UNKNOWN')
    }
  })

  it('of another repository is unknown', async () => {
    const { pusher, url } = await start()
    const at = await pusher.open()
    expect((await fetchRaw(at.replace('team/app', 'team/other'))).status).toBe(404)
    expect((await fetchRaw(`${url}/v2/team/app/blobs/uploads/..%2f..%2fberth.db`)).status).toBe(404)
  })

  it('goes on after a restart (case 52)', async () => {
    const before = await startHosting()
    const at = await new Pusher(before.url).open()
    await fetchRaw(at, { method: 'PATCH', body: '01234', headers: lengthOf('01234') })
    await before.stop()
    const after = await startHosting({ data: before.data })
    const place = after.url + new URL(at).pathname
    expect((await fetchRaw(place)).headers.range).toBe('0-4')
    const end = await fetchRaw(`${place}?digest=${sha256(text)}`, { method: 'PUT', body: '56789' })
    expect(end.status).toBe(201)
  })
})

describe('the same blob', () => {
  it('from two clients to two repositories at once: both 201 (case 53)', async () => {
    const { url } = await start()
    const bytes = makeBytes({ size: 3_000_000, seed: 5 }).read()
    const pushers = [new Pusher(url, 'team/one'), new Pusher(url, 'team/two')]
    const answers = await Promise.all(pushers.map((pusher) => pusher.blob(bytes)))
    expect(answers.map(({ status }) => status)).toEqual([201, 201])
    for (const pusher of pushers) await expectHeld(pusher, bytes)
  })

  it('end-11 is mounted: with from, without, and not when nobody has it', async () => {
    const { pusher, url } = await start()
    await pusher.blob(text)
    const mount = (name: string, query: string) => new Pusher(url, name).send('POST', `blobs/uploads/?mount=${query}`)
    const mounted = await mount('team/two', `${sha256(text)}&from=team/app`)
    expect([mounted.status, mounted.headers.location]).toEqual([201, `/v2/team/two/blobs/${sha256(text)}`])
    expect((await mount('team/three', sha256(text))).status).toBe(201)
    await expectHeld(new Pusher(url, 'team/three'), text)
    expect((await mount('team/two', `${sha256('none')}&from=team/app`)).status).toBe(202)
    expect((await mount('team/two', 'sha256:0')).status).toBe(400)
  })

  it('deleted in one repository stays in the other; deleted in both it can be pushed again (case 57)', async () => {
    const { pusher, url } = await start()
    const other = new Pusher(url, 'team/two')
    for (const each of [pusher, other]) await each.blob(text)
    expect((await pusher.send('DELETE', `blobs/${sha256(text)}`)).status).toBe(202)
    expect((await pusher.send('HEAD', `blobs/${sha256(text)}`)).status).toBe(404)
    await expectHeld(other, text)
    expect((await other.send('DELETE', `blobs/${sha256(text)}`)).status).toBe(202)
    expect((await other.send('DELETE', `blobs/${sha256(text)}`)).status).toBe(404)
    expect((await pusher.blob(text)).status).toBe(201)
    await expectHeld(pusher, text)
  })
})

describe('repositories', () => {
  it.each(['team/blobs/uploads', 'team/manifests', 'team/tags/list', 'team/referrers/v2', 'team/v2'])(
    'may be called %s (case 64)',
    async (name) => {
      const pusher = new Pusher((await startHosting()).url, name)
      await pusher.image('list', text)
      expect(await pusher.status('manifests/list')).toBe(200)
      expect((await pusher.send('GET', 'tags/list')).json()).toEqual({ name, tags: ['list'] })
      await expectHeld(pusher, text)
    },
  )
})

describe('places', () => {
  it('are paths, whatever Host and X-Forwarded headers of a trusted proxy say: its port may be wrong (case 59)', async () => {
    const { url } = await startHosting({ trustedProxies: ['127.0.0.1'] })
    const pusher = new Pusher(url)
    const headers = { host: '[::1]:8443', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'r.example.com' }
    const { headers: seen } = await pusher.send('POST', 'blobs/uploads/', { headers })
    expect(seen.location).toMatch(/^\/v2\/team\/app\/blobs\/uploads\/[0-9a-f-]{36}$/)
  })

  it('are URLs where publicUrl says which', async () => {
    const { url } = await startHosting({ publicUrl: 'https://r.example.com' })
    const { headers } = await new Pusher(url).send('POST', 'blobs/uploads/')
    expect(headers.location).toMatch(/^https:\/\/r\.example\.com\/v2\/team\/app\//)
  })
})

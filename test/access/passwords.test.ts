import { hash as bcrypt } from 'bcrypt'
import { describe, expect, it } from 'vitest'
import { parseHtpasswd } from '../../src/access/htpasswd.ts'
import { hashOfSettings, Passwords } from '../../src/access/passwords.ts'

const passwords = new Passwords()

describe('passwords', () => {
  it('are kept as argon2id with a salt of their own, and compared whole', async () => {
    const [one, two] = await Promise.all([passwords.hash('correct horse'), passwords.hash('correct horse')])
    expect(one).toMatch(/^\$argon2id\$/)
    expect(one).not.toBe(two)
    expect(await passwords.verify('correct horse', one)).toBe(true)
    expect(await passwords.verify('correct hors', one)).toBe(false)
    expect(await passwords.verify('correct horse ', one)).toBe(false)
  })

  it('are the same in any form of Unicode', async () => {
    const stored = await passwords.hash('pässword\u0301'.normalize('NFD'))
    expect(await passwords.verify('pässword\u0301'.normalize('NFC'), stored)).toBe(true)
  })

  it.each(['2a', '2b', '2y'] as const)(
    'of bcrypt with the prefix %s are compared, in either form of Unicode',
    async (version) => {
      for (const form of ['NFC', 'NFD']) {
        const stored = (await bcrypt('pässword'.normalize(form), 4)).replace('$2b', `$${version}`)
        expect(await passwords.verify('pässword'.normalize(form), stored)).toBe(true)
        expect(await passwords.verify('password', stored)).toBe(false)
      }
    },
  )

  it('of the settings are kept the same way each time, so that stored logins outlive a restart', async () => {
    const [one, two] = [await hashOfSettings('ann', 'correct horse'), await hashOfSettings('ann', 'correct horse')]
    expect(one).toBe(two)
    expect(await hashOfSettings('bob', 'correct horse')).not.toBe(one)
  })

  it('of users who are not there take a comparison as well, and are wrong', async () => {
    expect(await passwords.pretend('correct horse', undefined)).toBe(false)
    expect(await passwords.pretend('correct horse', await bcrypt('x', 4))).toBe(false)
  })

  it('are refused, not queued for ever, when too many come at once', async () => {
    const stored = await passwords.hash('correct horse')
    const all = await Promise.allSettled(Array.from({ length: 80 }, () => passwords.verify('wrong', stored)))
    const refused = all.filter((one) => one.status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]).toMatchObject({ reason: { code: 'TOOMANYREQUESTS' } })
    expect(await passwords.verify('correct horse', stored)).toBe(true)
  })
})

describe('an htpasswd file', () => {
  const good = `$2y$05$${'a'.repeat(53)}`

  // Case 61: lines that are no bcrypt must not be ignored in silence.
  it('gives its bcrypt lines, and tells every other line by what it is, without its hash', () => {
    const text = [
      `ann:${good}`,
      'apr:$apr1$abc$defdefdefdefdefdefdef0',
      'sha:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=',
      'crypt:$6$salt$hashhashhash',
      'des:abJnggxhB/yWI',
      'plain:secret word',
      '# a comment',
      '',
      'nothing',
      ':x',
      `ann:${good}`,
      `üser:${good}`,
    ].join('\n')
    const { users, refused } = parseHtpasswd(text)
    expect([...users]).toEqual([
      ['ann', good],
      ['üser', good],
    ])
    expect(refused.map((line) => line.replace(/.*saw /, ''))).toEqual([
      'MD5 (apr1)',
      'SHA-1',
      'SHA-512 crypt',
      'DES crypt or plain text',
      'another form or plain text',
      'line 9: must be NAME:HASH',
      'line 10: must be NAME:HASH',
      'line 11: "ann" is there twice, the first counts',
    ])
    expect(refused.join()).not.toMatch(/abJng|hashhash|secret word/)
  })

  it('may have line ends of Windows', () => {
    expect([...parseHtpasswd(`ann:${good}\r\nbob:${good}\r\n`).users.keys()]).toEqual(['ann', 'bob'])
  })
})

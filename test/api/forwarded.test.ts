import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { createForwarded, type ForwardedOptions } from '../../src/api/forwarded.ts'

type Row = [string, ForwardedOptions, Record<string, string>, string | undefined]

const loopback = { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8', 'fd00::/8'] }
const mapped = '203.0.113.9, ::ffff:10.1.1.1'
const elsewhere = { trustedProxies: ['192.0.2.1'] }

describe('the client of a request that came through proxies', () => {
  it.each<Row>([
    ['is the peer where no proxy is trusted', {}, { 'x-forwarded-for': '203.0.113.9' }, '127.0.0.1'],
    ['is the peer where it is not the trusted one', elsewhere, { 'x-forwarded-for': '203.0.113.9' }, '127.0.0.1'],
    ['is whom the trusted proxy names', loopback, { 'x-forwarded-for': '203.0.113.9' }, '203.0.113.9'],
    ['is the last untrusted one of several', loopback, { 'x-forwarded-for': '203.0.113.9, 10.1.1.1' }, '203.0.113.9'],
    ['is never what a client wrote itself', loopback, { 'x-forwarded-for': '1.1.1.1, 203.0.113.9' }, '203.0.113.9'],
    ['is the first one where all are trusted', loopback, { 'x-forwarded-for': '10.0.0.1, 10.0.0.2' }, '10.0.0.1'],
    ['is read without its port', loopback, { 'x-forwarded-for': '203.0.113.9:4711' }, '203.0.113.9'],
    ['is read without brackets', loopback, { 'x-forwarded-for': '[2001:db8::1]:4711' }, '2001:db8::1'],
    ['is as far as addresses are well-formed', loopback, { 'x-forwarded-for': 'unknown, 10.0.0.2' }, '10.0.0.2'],
    ['is the peer without the header', loopback, {}, '127.0.0.1'],
    ['is the peer where the header is empty', loopback, { 'x-forwarded-for': ' , ' }, '127.0.0.1'],
    ['passes trusted IPv4 addresses in IPv6 form', loopback, { 'x-forwarded-for': mapped }, '203.0.113.9'],
    ['is whom Forwarded names', loopback, { forwarded: 'for=1.1.1.1;by=x, For="203.0.113.9:80"' }, '203.0.113.9'],
    ['is whom Forwarded names by IPv6', loopback, { forwarded: 'proto=https;for="[2001:db8::1]:4711"' }, '2001:db8::1'],
    ['is not what a client hides from Forwarded', loopback, { forwarded: 'for=1.1.1.1, for=_hidden' }, '127.0.0.1'],
    [
      'is not whom Forwarded names where the proxy writes the other headers',
      loopback,
      { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=1.1.1.1' },
      '203.0.113.9',
    ],
    // An expression that tries every blank as the first of its run would take long.
    ['is the peer where Forwarded is blanks', loopback, { forwarded: `for=${' '.repeat(15_000)}"x` }, '127.0.0.1'],
    ['is the peer where Forwarded is no such header', loopback, { forwarded: '";for' }, '127.0.0.1'],
  ])('%s', async (_, options, headers, expected) => {
    expect(await receive(headers, (incoming) => createForwarded(options).addressOf(incoming))).toBe(expected)
  })
})

describe('the URL that a client uses', () => {
  const host = { host: 'berth.test:5000' }
  const forwarded = { ...host, 'x-forwarded-proto': 'https', 'x-forwarded-host': 'r.example.com' }
  it.each<Row>([
    [
      'is publicUrl, whatever a request says',
      { ...loopback, publicUrl: 'https://p.test' },
      forwarded,
      'https://p.test',
    ],
    ['is the Host header', {}, host, 'http://berth.test:5000'],
    ['is the Host header where the proxy is not trusted', elsewhere, forwarded, 'http://berth.test:5000'],
    ['is what a trusted proxy says', loopback, forwarded, 'https://r.example.com'],
    [
      'has the scheme a trusted proxy says',
      loopback,
      { ...host, 'x-forwarded-proto': 'HTTPS' },
      'https://berth.test:5000',
    ],
    ['has no scheme but these two', loopback, { ...host, 'x-forwarded-proto': 'javascript' }, 'http://berth.test:5000'],
    [
      'is what Forwarded of a trusted proxy says',
      loopback,
      { ...host, forwarded: 'for=203.0.113.9;proto=https;host="r.example.com:8443"' },
      'https://r.example.com:8443',
    ],
    ['is unknown where the host is none', {}, { host: 'a/b"c' }, undefined],
    ['takes an address of IPv6', {}, { host: '[::1]:5000' }, 'http://[::1]:5000'],
  ])('%s', async (_, options, headers, expected) => {
    expect(await receive(headers, (incoming) => createForwarded(options).urlOf(incoming))).toBe(expected)
  })
})

/** Sends a request with these headers to a server, and returns what is read from it there. */
async function receive<T>(headers: Record<string, string>, read: (incoming: IncomingMessage) => T): Promise<T> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  try {
    const asked = request({ port: (server.address() as AddressInfo).port, headers, agent: false }).on('error', () => {})
    asked.end()
    const [incoming] = (await once(server, 'request')) as [IncomingMessage]
    const result = read(incoming)
    asked.destroy()
    return result
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

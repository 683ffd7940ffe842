import { describe, expect, it } from 'vitest'
import { readApk, readDpkg } from '../../src/packages/databases.js'

const status = `Package: libc6
Status: install ok installed
Priority: optional
Installed-Size: 13036
Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>
Architecture: amd64
Source: glibc
Version: 2.36-9+deb12u4
Description: GNU C Library: Shared libraries
 Contains the standard libraries.
 .
 Version: not this one
Conffiles:
 /etc/ld.so.conf.d/x.conf 0123

Package: gone
Status: deinstall ok config-files
Version: 1.0

Package: base-files
Version: 12.4
Installed-Size: many
`

const installed = `C:Q1
P:musl
V:1.2.4-r2
A:x86_64
S:383152
I:622592
T:the musl c library (libc) implementation
F:lib
R:libc.musl-x86_64.so.1

P:zlib
V:1.2.13-r1
`

describe('what is installed', () => {
  it('stands in dpkg’s status: not what is left of something removed, nor what a description says', () => {
    expect(readDpkg(status)).toEqual([
      { kind: 'deb', name: 'libc6', version: '2.36-9+deb12u4', size: 13036 * 1024 },
      { kind: 'deb', name: 'base-files', version: '12.4' },
    ])
  })

  it('stands in apk’s installed', () => {
    expect(readApk(installed)).toEqual([
      { kind: 'apk', name: 'musl', version: '1.2.4-r2', size: 622592 },
      { kind: 'apk', name: 'zlib', version: '1.2.13-r1' },
    ])
  })

  it('is nothing in what is no database, and bounded in one that has no end', () => {
    expect(readDpkg('\u0000\u0001 no fields\n:\n\n\n')).toEqual([])
    expect(readApk('{"json": true}')).toEqual([])
    expect(readDpkg('Package: a\nVersion: 1\n\n'.repeat(50_000))).toHaveLength(20_000)
    const [long] = readApk(`P:${'x'.repeat(4_000)}\nV:1`)
    expect(long?.name.length).toBeLessThan(400)
    expect(readApk(`P:${'x'.repeat(100_000)}\nV:1`)).toEqual([])
  })
})

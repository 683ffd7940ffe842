import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readSources, roomOf, type Import, type Source } from './helpers/sources.ts'

// The rooms of src/ and what each may import. Imports go faces -> guards -> registries -> keeping -> words.

interface Room {
  /** Rooms it may import, each by a front door. */
  rooms: readonly string[]
  /** Packages and Node's own modules it may not have, as patterns. */
  never?: RegExp
  /** Files of it that other rooms may import, where they are more than the file named like the room. */
  doors?: readonly string[]
  /** It knows the types of other rooms, and of what they do only that of the words. */
  typesOnly?: true
}

const web = /^(hono|@hono\/.*)$/
const http = /^(node:https?2?|undici|hono|@hono\/.*)$/

const rooms: Record<string, Room> = {
  oci: { rooms: [], never: /^(?!node:crypto$)/, doors: ['*'] },
  store: { rooms: ['oci'], never: http, doors: ['store', 'fs-store', 's3-store'] },
  metadata: { rooms: ['oci'], never: http, doors: ['metadata', 'sqlite', 'postgres'] },
  fills: { rooms: ['oci', 'store'], never: new RegExp(`${http.source}|^prom-client$`) },
  cache: { rooms: ['oci', 'store', 'metadata', 'fills'], never: new RegExp(`${http.source}|^prom-client$`) },
  hosted: { rooms: ['oci', 'store', 'metadata'], never: http },
  upstream: { rooms: ['oci'], never: web },
  access: { rooms: ['oci', 'metadata'], never: web },
  signatures: { rooms: ['oci', 'metadata'], never: http },
  namespaces: { rooms: ['oci'] },
  warm: { rooms: ['oci', 'metadata'], never: http },
  packages: { rooms: ['oci'], never: http },
  proxy: { rooms: ['oci'], never: web },
  audit: { rooms: ['oci', 'metadata', 'telemetry'], never: http, typesOnly: true },
  tls: { rooms: ['oci'], never: web },
  webhooks: { rooms: ['oci', 'metadata', 'telemetry'], never: http, typesOnly: true },
  api: { rooms: ['oci', 'access'], doors: ['app'] },
  admin: { rooms: ['oci', 'access', 'metadata', 'packages'], doors: ['admin', 'operations'] },
  web: { rooms: ['oci', 'access', 'admin', 'metadata'], doors: ['app', 'format'] },
  config: { rooms: [] },
  telemetry: {
    rooms: [
      'admin',
      'api',
      'web',
      'access',
      'cache',
      'hosted',
      'proxy',
      'signatures',
      'upstream',
      'store',
      'metadata',
      'config',
      'tls',
      'warm',
      'webhooks',
    ],
    typesOnly: true,
  },
  // Commands speak the admin API, wherever it is: they need to know what it takes, and how to get there.
  cli: { rooms: ['server', 'operator', 'operator-socket', 'admin', 'config', 'proxy', 'upstream', 'web'] },
}

/** Rooms of one rank never import each other; the higher import the lower. */
const ranks = [
  ['oci'],
  ['store', 'metadata'],
  ['fills'],
  ['cache', 'hosted', 'upstream', 'access', 'signatures', 'namespaces', 'packages', 'proxy', 'warm'],
  ['admin'],
  ['api', 'web'],
  ['cli'],
]

/** Packages that one room alone, or the files that wire the rooms, may import. */
const owners: Record<string, readonly string[]> = {
  'prom-client': ['telemetry'],
  pino: ['telemetry'],
  'better-sqlite3': ['metadata'],
  undici: ['upstream'],
  '@peculiar/x509': ['proxy'],
  'acme-client': ['tls'],
  '@sigstore/bundle': ['signatures'],
  '@sigstore/protobuf-specs': ['signatures'],
  '@sigstore/verify': ['signatures'],
  tar: ['packages'],
  commander: ['cli'],
  croner: ['config', 'warm'],
  jose: ['access'],
  '@node-rs/argon2': ['access'],
  bcrypt: ['access'],
  zod: ['config', 'admin'],
  'd3-scale': ['web'],
  'd3-shape': ['web'],
  'markdown-it': ['web'],
  'sanitize-html': ['web'],
  yaml: ['config'],
}

const src = fileURLToPath(new URL('../src', import.meta.url))
const files = readSources(src)
const inRooms = files.filter(({ room }) => room in rooms)
const importsOf = (sources: Source[]) => sources.flatMap((source) => source.imports)
const crossing = importsOf(inRooms).filter(({ from, file }) => file !== undefined && roomOf(file) !== roomOf(from))
const shown = ({ from, specifier }: Import) => `src/${from} imports ${specifier}`
const packageOf = ({ specifier }: Import) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')

describe('the rooms of src/', () => {
  it('are those of the table', () => {
    const folders = readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(folders.map(({ name }) => name).filter((name) => !(name in rooms))).toEqual([])
  })

  it('import only what the table allows', () => {
    const refused = crossing.filter(({ from, file }) => !rooms[roomOf(from)]?.rooms.includes(roomOf(file ?? '')))
    expect(refused.map(shown)).toEqual([])
  })

  it('are entered by their front doors', () => {
    const entered = importsOf(files).filter(({ from, file }) => file?.includes('/') && roomOf(file) !== roomOf(from))
    const refused = entered.filter(({ file = '' }) => {
      const room = roomOf(file)
      const doors = rooms[room]?.doors ?? [room]
      return !doors.includes('*') && !doors.some((door) => new RegExp(`^${room}/${door}\\.tsx?$`).test(file))
    })
    expect(refused.map(shown)).toEqual([])
  })

  it('import no room of their own rank, nor of a higher one', () => {
    const rankOf = (path = '') => ranks.findIndex((rank) => rank.includes(roomOf(path)))
    const ranked = crossing.filter(({ from, file }) => rankOf(from) >= 0 && rankOf(file) >= 0)
    expect(ranked.filter(({ from, file }) => rankOf(from) <= rankOf(file)).map(shown)).toEqual([])
  })

  it('know only the types of what they must not depend on', () => {
    const real = crossing.filter(
      ({ from, file = '', typesOnly }) => rooms[roomOf(from)]?.typesOnly && roomOf(file) !== 'oci' && !typesOnly,
    )
    expect(real.map(shown)).toEqual([])
  })

  it('keep to the packages that are theirs', () => {
    const packages = importsOf(inRooms).filter(({ file }) => file === undefined)
    const refused = packages.filter((each) => {
      const room = roomOf(each.from)
      return rooms[room]?.never?.test(each.specifier) || (owners[packageOf(each)]?.includes(room) ?? true) === false
    })
    expect(refused.map(shown)).toEqual([])
  })

  it('import no file of the tests', () => {
    expect(
      importsOf(files)
        .filter(({ file }) => file?.startsWith('..'))
        .map(shown),
    ).toEqual([])
  })
})

describe('the files of src/', () => {
  it('are named after a concept: there is no drawer for leftovers', () => {
    const drawers = /^(utils?|helpers?|common|constants?|misc|shared|types|lib)$/
    const names = files
      .map(({ path }) => path)
      .filter((path) => path.split('/').some((part) => drawers.test(stem(part))))
    expect(names).toEqual([])
  })

  it('have fewer than 300 lines', () => {
    expect(files.filter(({ lines }) => lines >= 300).map(({ path, lines }) => `${path}: ${lines}`)).toEqual([])
  })

  it('start the program in fewer than 15 lines', () => {
    expect(files.find(({ path }) => path === 'main.ts')?.lines).toBeLessThan(15)
  })
})

function stem(name: string): string {
  return basename(name).replace(/\.[^.]+$/, '')
}

import type { Database } from 'better-sqlite3'
import cache from './migrations/0001-cache.ts'
import hosted from './migrations/0002-hosted.ts'
import upstreams from './migrations/0003-upstreams.ts'
import webhooks from './migrations/0004-webhooks.ts'
import signatures from './migrations/0005-signatures.ts'
import access from './migrations/0006-access.ts'
import audit from './migrations/0007-audit.ts'
import figures from './migrations/0008-figures.ts'
import usage from './migrations/0009-usage.ts'
import spending from './migrations/0010-spending.ts'
import identities from './migrations/0011-identities.ts'
import hostedHistory from './migrations/0012-hosted-history.ts'
import tagPins from './migrations/0013-tag-pins.ts'
import descriptions from './migrations/0014-descriptions.ts'
import tagChanges from './migrations/0015-tag-changes.ts'
import warm from './migrations/0016-warm.ts'
import references from './migrations/0017-references.ts'

/** In order; what has been released is never changed, only followed by another. */
// prettier-ignore
const migrations = [
  cache,
  hosted,
  upstreams,
  webhooks,
  signatures,
  access,
  audit,
  figures,
  usage,
  spending,
  identities,
  hostedHistory,
  tagPins,
  descriptions,
  tagChanges,
  warm,
  references,
]

/** Brings a database to this version, each step in a transaction. Throws when a newer Berth has written it. */
export function migrate(database: Database): void {
  const version = database.pragma('user_version', { simple: true }) as number
  if (version > migrations.length) {
    throw new Error(
      `the database is of version ${version}, this Berth knows versions up to ${migrations.length}: start the newer Berth that wrote it`,
    )
  }
  for (let next = version; next < migrations.length; next++) {
    database.transaction(() => {
      database.exec(migrations[next]!)
      database.pragma(`user_version = ${next + 1}`)
    })()
  }
}

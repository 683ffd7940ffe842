import type { Database } from 'better-sqlite3'
import type { Digest } from '../oci/digest.ts'
import type { RepositoryKey } from './metadata.ts'
import type { SignatureMetadata } from './signatures.ts'
import type { SqliteParts } from './sqlite-upstreams.ts'

export class SqliteSignatures implements SignatureMetadata {
  readonly #parts: SqliteParts
  readonly #sql: ReturnType<typeof statements>

  constructor(parts: SqliteParts) {
    this.#parts = parts
    this.#sql = statements(parts.database)
  }

  async isSigned(repository: RepositoryKey, digest: Digest, signers: string): Promise<boolean> {
    const id = this.#parts.ids.find(repository)
    return id !== undefined && this.#sql.findSigned.get(digest, id)?.signers === signers
  }

  async putSigned(repository: RepositoryKey, digest: Digest, signers: string): Promise<void> {
    this.#parts.write(() => this.#sql.putSigned.run(digest, this.#parts.ids.of(repository), signers))
  }

  async putContents(repository: RepositoryKey, manifest: Digest, contents: readonly Digest[]): Promise<void> {
    const put = this.#parts.database.transaction(() => {
      const id = this.#parts.ids.of(repository)
      for (const digest of contents) this.#sql.putContent.run(id, digest, manifest)
    })
    this.#parts.write(put)
  }

  async manifestsNaming(repository: RepositoryKey, digest: Digest): Promise<Digest[]> {
    const id = this.#parts.ids.find(repository)
    return id === undefined ? [] : this.#sql.manifestsNaming.all(id, digest).map((row) => row.manifest as Digest)
  }

  /** Within a transaction of the caller's: a manifest is removed. */
  forgetIn(manifest: Digest): void {
    this.#sql.removeSigned.run(manifest)
    this.#sql.removeContents.run(manifest)
  }
}

function statements(database: Database) {
  const prepare = <P extends unknown[], R = unknown>(sql: string) => database.prepare<P, R>(sql)
  return {
    findSigned: prepare<[string, number], { signers: string }>(
      'SELECT signers FROM signed_manifests WHERE digest = ? AND repository = ?',
    ),
    putSigned: prepare<[string, number, string]>(
      `INSERT INTO signed_manifests (digest, repository, signers) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET signers = excluded.signers`,
    ),
    removeSigned: prepare<[string]>('DELETE FROM signed_manifests WHERE digest = ?'),
    putContent: prepare<[number, string, string]>(
      'INSERT INTO manifest_contents (repository, digest, manifest) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    ),
    manifestsNaming: prepare<[number, string], { manifest: string }>(
      'SELECT manifest FROM manifest_contents WHERE repository = ? AND digest = ?',
    ),
    removeContents: prepare<[string]>('DELETE FROM manifest_contents WHERE manifest = ?'),
  }
}

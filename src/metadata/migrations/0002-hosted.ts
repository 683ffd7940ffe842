/**
 * What is hosted here, apart from what is known of upstreams: neither ever answers for the other, though a blob that both
 * have is stored once. A repository holds its manifests and blobs by itself, as the distribution API shows them.
 */
export default `
  CREATE TABLE hosted_namespaces (
    name       TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE hosted_repositories (
    id        INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    name      TEXT NOT NULL UNIQUE
  ) STRICT;
  CREATE INDEX hosted_repositories_by_namespace ON hosted_repositories (namespace);

  -- Upload sessions; how far each has come is the length of its file.
  CREATE TABLE hosted_uploads (
    id         TEXT PRIMARY KEY,
    repository TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;

  -- touched_at: when it was last pushed, mounted or asked for. Grace times count from here.
  CREATE TABLE hosted_blobs (
    repository INTEGER NOT NULL REFERENCES hosted_repositories (id),
    digest     TEXT NOT NULL,
    size       INTEGER NOT NULL,
    touched_at INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX hosted_blobs_by_digest ON hosted_blobs (digest);

  CREATE TABLE hosted_manifests (
    repository    INTEGER NOT NULL REFERENCES hosted_repositories (id),
    digest        TEXT NOT NULL,
    media_type    TEXT NOT NULL,
    artifact_type TEXT,
    annotations   TEXT,
    subject       TEXT,
    bytes         BLOB NOT NULL,
    touched_at    INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)
  ) STRICT;
  CREATE INDEX hosted_manifests_by_subject ON hosted_manifests (repository, subject) WHERE subject IS NOT NULL;

  -- What a manifest names: its config and layers, or an index's children. Not its subject, which may be missing.
  CREATE TABLE hosted_references (
    repository INTEGER NOT NULL REFERENCES hosted_repositories (id),
    manifest   TEXT NOT NULL,
    target     TEXT NOT NULL,
    PRIMARY KEY (repository, manifest, target)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX hosted_references_by_target ON hosted_references (repository, target);

  CREATE TABLE hosted_tags (
    repository INTEGER NOT NULL REFERENCES hosted_repositories (id),
    tag        TEXT NOT NULL,
    digest     TEXT NOT NULL,
    pushed_at  INTEGER NOT NULL,
    PRIMARY KEY (repository, tag)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX hosted_tags_by_digest ON hosted_tags (repository, digest);
`

/** Repositories, tags, manifests, and the blobs that are stored. Digests are text: readable where a human looks. */
export default `
  CREATE TABLE repositories (
    id       INTEGER PRIMARY KEY,
    registry TEXT NOT NULL,
    name     TEXT NOT NULL,
    UNIQUE (registry, name)
  ) STRICT;

  CREATE TABLE manifests (
    digest     TEXT PRIMARY KEY,
    media_type TEXT NOT NULL,
    bytes      BLOB NOT NULL,
    used_at    INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX manifests_by_use ON manifests (used_at);

  CREATE TABLE repository_manifests (
    repository INTEGER NOT NULL REFERENCES repositories (id),
    digest     TEXT NOT NULL REFERENCES manifests (digest),
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX repository_manifests_by_digest ON repository_manifests (digest);

  CREATE TABLE tags (
    repository INTEGER NOT NULL REFERENCES repositories (id),
    tag        TEXT NOT NULL,
    digest     TEXT NOT NULL,
    checked_at INTEGER NOT NULL,
    PRIMARY KEY (repository, tag)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tags_by_digest ON tags (digest);

  -- What a repository is known to hold: from its manifests' descriptors, or because the upstream answered for it.
  CREATE TABLE repository_blobs (
    repository INTEGER NOT NULL REFERENCES repositories (id),
    digest     TEXT NOT NULL,
    size       INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX repository_blobs_by_digest ON repository_blobs (digest);

  CREATE TABLE stored_blobs (
    digest     TEXT PRIMARY KEY,
    size       INTEGER NOT NULL,
    stored_at  INTEGER NOT NULL,
    used_at    INTEGER NOT NULL,
    -- When its bytes were last compared with its digest.
    checked_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX stored_blobs_by_check ON stored_blobs (checked_at);
  CREATE INDEX stored_blobs_by_use ON stored_blobs (used_at);
`

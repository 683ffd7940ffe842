/** What upstreams said over time: digests a tag has had, what is held back, who may see a repository, whole lists. */
export default `
  -- A row each time a tag came to mean something else; the newest is what the upstream says now.
  CREATE TABLE tag_history (
    repository INTEGER NOT NULL REFERENCES repositories (id),
    tag        TEXT NOT NULL,
    seen_at    INTEGER NOT NULL,
    digest     TEXT NOT NULL,
    PRIMARY KEY (repository, tag, seen_at)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tag_history_by_digest ON tag_history (repository, digest);

  INSERT INTO tag_history (repository, tag, seen_at, digest) SELECT repository, tag, checked_at, digest FROM tags;

  -- Content too new to be given out (minAge), by tag or by digest.
  CREATE TABLE withheld (
    repository INTEGER NOT NULL REFERENCES repositories (id),
    digest     TEXT NOT NULL,
    tag        TEXT NOT NULL,
    until      INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;

  -- Whether clients without a login could read a repository at its upstream.
  CREATE TABLE visibility (
    repository INTEGER PRIMARY KEY REFERENCES repositories (id),
    public     INTEGER NOT NULL,
    checked_at INTEGER NOT NULL
  ) STRICT;

  -- Lists as upstreams gave them (tags, referrers), for when they cannot be asked.
  CREATE TABLE lists (
    repository INTEGER NOT NULL REFERENCES repositories (id),
    kind       TEXT NOT NULL,
    subject    TEXT NOT NULL,
    json       TEXT NOT NULL,
    checked_at INTEGER NOT NULL,
    PRIMARY KEY (repository, kind, subject)
  ) STRICT;
`

/** What pages show of the past: how often each tag was asked for, and the figures of every five minutes; and what was pinned on them. */
export default `
  -- By whole name (docker.io/library/node, alice/app). The row with an empty tag is the repository's sum.
  CREATE TABLE pulls (
    name      TEXT NOT NULL,
    tag       TEXT NOT NULL,
    pulls     INTEGER NOT NULL,
    pulled_at INTEGER NOT NULL,
    PRIMARY KEY (name, tag)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX pulls_of_repositories ON pulls (pulls) WHERE tag = '';

  CREATE INDEX hosted_tags_by_push ON hosted_tags (repository, pushed_at);
  CREATE INDEX tag_history_by_time ON tag_history (repository, seen_at);

  -- Sums over the span that began then; subject is an upstream, or empty where a figure is of all.
  CREATE TABLE figures (
    began_at INTEGER NOT NULL,
    figure   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    value    REAL NOT NULL,
    PRIMARY KEY (began_at, figure, subject)
  ) STRICT, WITHOUT ROWID;

  -- Patterns of cached tags that are never evicted, besides those of the settings.
  CREATE TABLE pins (
    pattern   TEXT PRIMARY KEY,
    pinned_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`

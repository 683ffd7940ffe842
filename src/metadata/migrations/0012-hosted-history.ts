/**
 * What each hosted tag meant, and when it was deleted. By the repository's name, for it outlives the tag and the repository's
 * row: what was deleted by mistake is found by it.
 */
export default `
  CREATE TABLE hosted_tag_history (
    name       TEXT NOT NULL,
    tag        TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    -- NULL: it was deleted then.
    digest     TEXT,
    -- Who did it; NULL where nobody logged in, for what retention removed, and for what was there before this table.
    user       TEXT,
    PRIMARY KEY (name, tag, changed_at)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX hosted_tag_deletions ON hosted_tag_history (changed_at) WHERE digest IS NULL;

  INSERT INTO hosted_tag_history (name, tag, changed_at, digest)
    SELECT r.name, t.tag, t.pushed_at, t.digest FROM hosted_tags AS t JOIN hosted_repositories AS r ON r.id = t.repository;
`

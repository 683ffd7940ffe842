/** Cached tags that mean what somebody set them to, whatever their upstream says, until they are released. */
export default `
  CREATE TABLE tag_pins (
    registry  TEXT NOT NULL,
    name      TEXT NOT NULL,
    tag       TEXT NOT NULL,
    digest    TEXT NOT NULL,
    pinned_at INTEGER NOT NULL,
    user      TEXT,
    PRIMARY KEY (registry, name, tag)
  ) STRICT, WITHOUT ROWID;
`

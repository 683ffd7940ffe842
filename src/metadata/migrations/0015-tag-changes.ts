// Changes of tags that receivers of webhooks may want to be told of, until it is settled who is; and how telling them goes.
export default `
-- Written by the transaction that changes the tag.
CREATE TABLE tag_changes (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id     TEXT NOT NULL UNIQUE,
  at     INTEGER NOT NULL,
  change TEXT NOT NULL
) STRICT;

-- Why the last attempt failed.
ALTER TABLE webhook_deliveries ADD COLUMN problem TEXT;

-- The last attempt to tell each receiver, however it went.
CREATE TABLE webhook_attempts (
  hook     TEXT PRIMARY KEY,
  event    TEXT NOT NULL,
  type     TEXT NOT NULL,
  at       INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  status   INTEGER,
  problem  TEXT
) STRICT, WITHOUT ROWID;
`

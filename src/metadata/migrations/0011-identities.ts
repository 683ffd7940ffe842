/** Who logs in at an OpenID provider, and what rights came from its claims. */
export default `
  -- A login elsewhere, by the provider's own name for it (OpenID Connect Core 1.0, 5.7): never by an e-mail address, which may
  -- become another's. removed: its account was removed, and it is not to come back by itself.
  CREATE TABLE identities (
    id       TEXT PRIMARY KEY,
    issuer   TEXT NOT NULL,
    subject  TEXT NOT NULL,
    user     TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    removed  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (issuer, subject)
  ) STRICT;
  CREATE INDEX identities_of ON identities (user);

  -- The issuer whose claims gave it; NULL: somebody here.
  ALTER TABLE members ADD COLUMN issuer TEXT;
  ALTER TABLE accounts ADD COLUMN admin_by TEXT;
`

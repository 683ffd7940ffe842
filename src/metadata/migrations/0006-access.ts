/** Who there is, what they are in which organization, their tokens, and whom repositories are open to. */
export default `
  -- Users and organizations: each name is one account's, and that of its namespace.
  CREATE TABLE accounts (
    name       TEXT PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('user', 'organization')),
    password   TEXT,
    admin      INTEGER NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;

  -- Users may be known from elsewhere (a file of passwords), so their names refer to no row here and below.
  CREATE TABLE members (
    organization TEXT NOT NULL REFERENCES accounts (name) ON DELETE CASCADE,
    user         TEXT NOT NULL,
    role         TEXT NOT NULL,
    PRIMARY KEY (organization, user)
  ) STRICT, WITHOUT ROWID;

  -- secret_hash: SHA-256 of the token. scopes: a JSON array of PATTERN:ACTIONS.
  CREATE TABLE tokens (
    id          TEXT PRIMARY KEY,
    owner       TEXT NOT NULL,
    name        TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    scopes      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER
  ) STRICT;

  -- name: a repository, or a namespace for all its repositories.
  CREATE TABLE grants (
    name    TEXT NOT NULL,
    account TEXT NOT NULL,
    role    TEXT NOT NULL,
    PRIMARY KEY (name, account)
  ) STRICT, WITHOUT ROWID;

  -- A repository that has no row is as its namespace, and a namespace that has none is private.
  CREATE TABLE publicity (
    name   TEXT PRIMARY KEY,
    public INTEGER NOT NULL
  ) STRICT;

  -- Counts the changes of all the above: whoever keeps it in memory sees by this that it is to be read again.
  CREATE TABLE access_version (version INTEGER NOT NULL) STRICT;
  INSERT INTO access_version VALUES (0);
`

// Who did what. Nothing in it is ever changed; what is older than it is to be kept goes.
export default `
CREATE TABLE audit (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  action TEXT NOT NULL,
  user TEXT,
  address TEXT,
  name TEXT,
  detail TEXT,
  count INTEGER NOT NULL
);
CREATE INDEX audit_at ON audit (at);
CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'the audit log is never changed');
END;
`

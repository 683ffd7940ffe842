// Whose pulls were spent at upstreams, and for what, by day.
export default `
CREATE TABLE spending (
  day        INTEGER NOT NULL,
  upstream   TEXT NOT NULL,
  account    TEXT NOT NULL,
  caller     TEXT NOT NULL,
  repository TEXT NOT NULL,
  pulls      INTEGER NOT NULL,
  PRIMARY KEY (day, upstream, account, caller, repository)
) STRICT, WITHOUT ROWID;
`

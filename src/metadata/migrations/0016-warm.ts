// What was fetched ahead of being wanted: runs of warm lists, and what became of each reference.
export default `
CREATE TABLE warm_runs (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  -- NULL where somebody named references by hand.
  list       TEXT,
  -- What was to be fetched, as JSON: it goes on as it was begun.
  wanted     TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at   INTEGER,
  outcome    TEXT
) STRICT;
CREATE INDEX warm_runs_by_list ON warm_runs (list, id);

CREATE TABLE warm_results (
  run       INTEGER NOT NULL REFERENCES warm_runs (id) ON DELETE CASCADE,
  reference TEXT NOT NULL,
  outcome   TEXT NOT NULL,
  message   TEXT,
  bytes     INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  UNIQUE (run, reference)
) STRICT;
`

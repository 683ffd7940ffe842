/** Which manifests of upstreams were found signed, and what they name: what is signed stands for its content as well. */
export default `
  CREATE TABLE signed_manifests (
    repository INTEGER NOT NULL REFERENCES repositories (id),
    digest     TEXT NOT NULL,
    -- Stands for those whose signatures counted: with other ones it is looked for anew.
    signers    TEXT NOT NULL,
    PRIMARY KEY (digest, repository)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE manifest_contents (
    repository INTEGER NOT NULL REFERENCES repositories (id),
    -- A child, config or layer.
    digest     TEXT NOT NULL,
    manifest   TEXT NOT NULL,
    PRIMARY KEY (repository, digest, manifest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX manifest_contents_by_manifest ON manifest_contents (manifest);
`

/**
 * What each hosted namespace holds, as a running sum: quotas ask for it before every upload. Kept by triggers, so that
 * whatever adds or removes a row keeps it, in the same transaction and in any process.
 */
export default `
  -- bytes: each blob once, however many repositories of the namespace hold it, and every manifest.
  CREATE TABLE hosted_usage (
    namespace TEXT PRIMARY KEY,
    bytes     INTEGER NOT NULL DEFAULT 0,
    tags      INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;

  INSERT INTO hosted_usage (namespace, bytes, tags)
    SELECT namespace,
      (SELECT coalesce(sum(size), 0) FROM (SELECT DISTINCT digest, size FROM hosted_blobs
         JOIN hosted_repositories AS r ON r.id = repository WHERE r.namespace = n.namespace))
      + (SELECT coalesce(sum(length(bytes)), 0) FROM hosted_manifests
         JOIN hosted_repositories AS r ON r.id = repository WHERE r.namespace = n.namespace),
      (SELECT count(*) FROM hosted_tags JOIN hosted_repositories AS r ON r.id = repository
         WHERE r.namespace = n.namespace)
    FROM (SELECT DISTINCT namespace FROM hosted_repositories) AS n;

  CREATE TRIGGER hosted_repository_added AFTER INSERT ON hosted_repositories BEGIN
    INSERT INTO hosted_usage (namespace) VALUES (new.namespace) ON CONFLICT DO NOTHING;
  END;

  CREATE VIEW hosted_holders AS
    SELECT digest, repository, namespace FROM hosted_blobs JOIN hosted_repositories ON id = repository;

  CREATE TRIGGER hosted_blob_added AFTER INSERT ON hosted_blobs BEGIN
    UPDATE hosted_usage SET bytes = bytes + new.size
    WHERE namespace = (SELECT namespace FROM hosted_repositories WHERE id = new.repository)
      AND NOT EXISTS (SELECT 1 FROM hosted_holders AS h WHERE h.digest = new.digest
        AND h.repository <> new.repository AND h.namespace = hosted_usage.namespace);
  END;
  CREATE TRIGGER hosted_blob_removed AFTER DELETE ON hosted_blobs BEGIN
    UPDATE hosted_usage SET bytes = bytes - old.size
    WHERE namespace = (SELECT namespace FROM hosted_repositories WHERE id = old.repository)
      AND NOT EXISTS (SELECT 1 FROM hosted_holders AS h WHERE h.digest = old.digest
        AND h.namespace = hosted_usage.namespace);
  END;

  CREATE TRIGGER hosted_manifest_added AFTER INSERT ON hosted_manifests BEGIN
    UPDATE hosted_usage SET bytes = bytes + length(new.bytes)
    WHERE namespace = (SELECT namespace FROM hosted_repositories WHERE id = new.repository);
  END;
  CREATE TRIGGER hosted_manifest_removed AFTER DELETE ON hosted_manifests BEGIN
    UPDATE hosted_usage SET bytes = bytes - length(old.bytes)
    WHERE namespace = (SELECT namespace FROM hosted_repositories WHERE id = old.repository);
  END;

  CREATE TRIGGER hosted_tag_added AFTER INSERT ON hosted_tags BEGIN
    UPDATE hosted_usage SET tags = tags + 1
    WHERE namespace = (SELECT namespace FROM hosted_repositories WHERE id = new.repository);
  END;
  CREATE TRIGGER hosted_tag_removed AFTER DELETE ON hosted_tags BEGIN
    UPDATE hosted_usage SET tags = tags - 1
    WHERE namespace = (SELECT namespace FROM hosted_repositories WHERE id = old.repository);
  END;
`

/** What repositories are: in a line of lists, and as somebody wrote it on the page of a hosted one. */
export default `
  -- By name. An empty text stands for what the image says of itself.
  CREATE TABLE descriptions (
    name       TEXT PRIMARY KEY,
    short      TEXT NOT NULL,
    readme     TEXT NOT NULL,
    -- Greater after each change.
    revision   INTEGER NOT NULL,
    written_by TEXT,
    written_at INTEGER NOT NULL
  ) STRICT;

  -- What the image that stands for a repository says of itself, by whole name (docker.io/library/node, alice/app).
  -- whole: all of the image was here to be read.
  CREATE TABLE image_lines (
    name  TEXT PRIMARY KEY,
    line  TEXT NOT NULL,
    whole INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Repositories whose tags have changed since their line was read, whatever changed them and in any process.
  CREATE TABLE unread_images (
    name TEXT PRIMARY KEY
  ) STRICT, WITHOUT ROWID;

  INSERT INTO unread_images
    SELECT name FROM hosted_repositories UNION SELECT registry || '/' || name FROM repositories;

  CREATE TRIGGER hosted_tag_added_unread AFTER INSERT ON hosted_tags BEGIN
    INSERT INTO unread_images SELECT name FROM hosted_repositories WHERE id = new.repository ON CONFLICT DO NOTHING;
  END;
  CREATE TRIGGER hosted_tag_moved_unread AFTER UPDATE OF digest ON hosted_tags WHEN new.digest <> old.digest BEGIN
    INSERT INTO unread_images SELECT name FROM hosted_repositories WHERE id = new.repository ON CONFLICT DO NOTHING;
  END;
  CREATE TRIGGER hosted_tag_removed_unread AFTER DELETE ON hosted_tags BEGIN
    INSERT INTO unread_images SELECT name FROM hosted_repositories WHERE id = old.repository ON CONFLICT DO NOTHING;
  END;

  CREATE TRIGGER tag_added_unread AFTER INSERT ON tags BEGIN
    INSERT INTO unread_images SELECT registry || '/' || name FROM repositories WHERE id = new.repository
      ON CONFLICT DO NOTHING;
  END;
  CREATE TRIGGER tag_moved_unread AFTER UPDATE OF digest ON tags WHEN new.digest <> old.digest BEGIN
    INSERT INTO unread_images SELECT registry || '/' || name FROM repositories WHERE id = new.repository
      ON CONFLICT DO NOTHING;
  END;
  CREATE TRIGGER tag_removed_unread AFTER DELETE ON tags BEGIN
    INSERT INTO unread_images SELECT registry || '/' || name FROM repositories WHERE id = old.repository
      ON CONFLICT DO NOTHING;
  END;

  -- A pin stands for what the tag means, whatever the upstream says.
  CREATE TRIGGER tag_pinned_unread AFTER INSERT ON tag_pins BEGIN
    INSERT INTO unread_images VALUES (new.registry || '/' || new.name) ON CONFLICT DO NOTHING;
  END;
  CREATE TRIGGER tag_released_unread AFTER DELETE ON tag_pins BEGIN
    INSERT INTO unread_images VALUES (old.registry || '/' || old.name) ON CONFLICT DO NOTHING;
  END;

  -- A pull may have brought what was missing.
  CREATE TRIGGER first_pulled_unread AFTER INSERT ON pulls WHEN new.tag = '' BEGIN
    INSERT INTO unread_images SELECT name FROM image_lines WHERE name = new.name AND whole = 0 ON CONFLICT DO NOTHING;
  END;
  CREATE TRIGGER pulled_unread AFTER UPDATE ON pulls WHEN new.tag = '' BEGIN
    INSERT INTO unread_images SELECT name FROM image_lines WHERE name = new.name AND whole = 0 ON CONFLICT DO NOTHING;
  END;
`

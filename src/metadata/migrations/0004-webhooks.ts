// What receivers of webhooks are still to be told.
export default `
CREATE TABLE webhook_deliveries (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  hook TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL,
  UNIQUE (id, hook)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (hook, due_at);
`

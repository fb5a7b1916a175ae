CREATE TABLE apps (
    id TEXT PRIMARY KEY NOT NULL,
    tenant_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    default_agent_id TEXT,
    enabled INTEGER NOT NULL,
    -- The JSON of AppConfig.
    config TEXT NOT NULL,
    -- Times are Unix milliseconds.
    last_used_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE spent_challenges (
    -- The digest that the solution hashes to: the same for every spelling of it.
    digest BLOB PRIMARY KEY NOT NULL,
    -- Unix seconds.
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX spent_challenges_by_expiry ON spent_challenges (expires_at);

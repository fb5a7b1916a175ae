CREATE TABLE apps (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    default_agent_id TEXT,
    enabled BOOLEAN NOT NULL,
    -- The JSON of AppConfig.
    config TEXT NOT NULL,
    -- Times are Unix milliseconds.
    last_used_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE spent_challenges (
    -- The digest that the solution hashes to: the same for every spelling of it.
    digest BYTEA PRIMARY KEY,
    -- Unix seconds.
    expires_at BIGINT NOT NULL
);

CREATE INDEX spent_challenges_by_expiry ON spent_challenges (expires_at);

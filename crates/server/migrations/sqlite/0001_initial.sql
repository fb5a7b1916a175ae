CREATE TABLE apps (
    id TEXT PRIMARY KEY NOT NULL,
    tenant_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    -- The name of an AppType.
    type TEXT NOT NULL,
    default_agent_id TEXT,
    prompt TEXT,
    enabled INTEGER NOT NULL,
    -- The JSON of the settings that belong to the type: of WebClient, or an empty object.
    config TEXT NOT NULL,
    -- Times are Unix milliseconds.
    last_used_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX apps_by_owner ON apps (tenant_id, project_id, created_at);

-- Ordered by expiry: rows that are inserted at the same time are next to each other, and so are rows that are deleted
-- at the same time. The expiry is a part of the salt that the digest is computed from, so that (expires_at, digest) is
-- unique where the digest is.
CREATE TABLE spent_challenges (
    -- Unix seconds.
    expires_at INTEGER NOT NULL,
    -- The digest that the solution hashes to: the same for every spelling of it.
    digest BLOB NOT NULL,
    PRIMARY KEY (expires_at, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY NOT NULL,
    tenant_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    name TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    -- The first characters of the secret, which distinguish keys.
    key_prefix TEXT NOT NULL,
    -- The SHA-256 of the secret.
    key_hash BLOB NOT NULL UNIQUE,
    last_used_at INTEGER,
    -- From then on the key is not accepted.
    expires_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX api_keys_by_owner ON api_keys (tenant_id, project_id, created_at);

CREATE TABLE conversations (
    -- The id of the app or the API key. Conversation ids are unique within one of them.
    client_id TEXT NOT NULL,
    id TEXT NOT NULL,
    -- The token's `sub`, or the API key's id.
    user_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    title TEXT NOT NULL,
    -- Also the position of the next message.
    message_count INTEGER NOT NULL,
    -- The size of the messages as JSON, in bytes.
    encoded_bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX conversations_by_user ON conversations (client_id, user_id, updated_at);

-- For the retention period.
CREATE INDEX conversations_by_time ON conversations (updated_at);

CREATE TABLE messages (
    client_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    role TEXT NOT NULL,
    content TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, conversation_id, position)
) STRICT;

-- Apps and API keys that were deleted and whose conversations are still to be deleted.
CREATE TABLE deleted_clients (
    client_id TEXT PRIMARY KEY NOT NULL
) STRICT;

-- Sessions that are no longer accepted: those that began before `not_before`. An empty `user_id` is every visitor.
CREATE TABLE revoked_sessions (
    app_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (app_id, user_id)
) STRICT, WITHOUT ROWID;

-- Calls of the management API.
CREATE TABLE audit_log (
    id TEXT PRIMARY KEY NOT NULL,
    at INTEGER NOT NULL,
    -- The name of a ManagementRole.
    key_role TEXT NOT NULL,
    address TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    -- Of the response; nothing if there was none.
    status INTEGER
) STRICT;

CREATE INDEX audit_log_by_time ON audit_log (at, id);

-- The events that widgets report.
CREATE TABLE events (
    -- The id of the app or the API key.
    client_id TEXT NOT NULL,
    -- The token's `sub`, or the API key's id.
    user_id TEXT NOT NULL,
    -- Chosen by the client, or generated: of events with the same id, one is stored.
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    -- The conversation and the message that the event names, which need not exist.
    conversation_id TEXT,
    message_id TEXT,
    -- The JSON of EventData.
    data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, user_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX events_by_time ON events (client_id, created_at);

CREATE INDEX events_by_user ON events (client_id, user_id, created_at);

CREATE INDEX events_by_conversation ON events (client_id, conversation_id);

-- For the retention period.
CREATE INDEX events_by_age ON events (created_at);

-- The last feedback on each message.
CREATE TABLE feedback (
    client_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    -- The message that the client names; empty for the whole conversation.
    message_id TEXT NOT NULL,
    id TEXT NOT NULL,
    -- The user of the conversation.
    user_id TEXT NOT NULL,
    -- The name of a FeedbackType.
    type TEXT NOT NULL,
    -- JSON.
    details TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, conversation_id, message_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX feedback_by_time ON feedback (client_id, updated_at);

-- The export of a visitor.
CREATE INDEX feedback_by_user ON feedback (client_id, user_id, conversation_id, message_id);

-- When a visitor was last erased: a reply that was being written then is not stored.
CREATE TABLE erasures (
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    -- Unix time in milliseconds.
    erased_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX erasures_by_time ON erasures (erased_at);

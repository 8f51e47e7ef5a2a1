-- `next_ordinal` is the place of the next message. Who adds one raises it first, and so holds the row until the message is there.
CREATE TABLE conversations (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    title TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    next_ordinal BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX conversations_by_change ON conversations (tenant_id, owner_id, updated_at, id);

-- `citations` is a JSON list. The long columns come last: SQLite walks through them to reach those behind.
CREATE TABLE messages (
    tenant_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    ordinal BIGINT NOT NULL,
    id TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    status TEXT NOT NULL CHECK (status IN ('complete', 'cancelled', 'failed')),
    model TEXT,
    prompt_tokens BIGINT,
    completion_tokens BIGINT,
    usage_estimated BOOLEAN CHECK (usage_estimated IN (FALSE, TRUE)),
    created_at BIGINT NOT NULL,
    text TEXT NOT NULL,
    citations TEXT NOT NULL,
    PRIMARY KEY (tenant_id, conversation_id, ordinal),
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversations (tenant_id, id) ON DELETE CASCADE,
    CHECK ((prompt_tokens IS NULL) = (completion_tokens IS NULL) AND (prompt_tokens IS NULL) = (usage_estimated IS NULL))
);

-- The text comes last: SQLite walks through a long one to reach the columns behind it.
CREATE TABLE documents (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    title TEXT NOT NULL,
    media_type TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    failure TEXT,
    characters BIGINT NOT NULL,
    chunks BIGINT NOT NULL DEFAULT 0,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    text TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX documents_by_age ON documents (tenant_id, created_at, id);

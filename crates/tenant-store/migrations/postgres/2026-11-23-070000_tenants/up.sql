-- Ids and addresses are compared and ordered by their bytes (COLLATE "C"), on every database alike.
CREATE TABLE tenants (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    name TEXT NOT NULL,
    pinecone_environment TEXT,
    pinecone_index TEXT,
    pinecone_host TEXT,
    pinecone_api_key TEXT,
    pinecone_api_key_last_four TEXT,
    system_prompt TEXT,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    created_at TIMESTAMP NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
    updated_at TIMESTAMP NOT NULL DEFAULT (now() AT TIME ZONE 'utc')
);

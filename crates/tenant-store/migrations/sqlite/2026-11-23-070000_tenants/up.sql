-- SQLite takes any value in any column; the checks keep what a hand-written UPDATE may break readable.
CREATE TABLE tenants (
    id TEXT NOT NULL PRIMARY KEY CHECK (
        length(id) BETWEEN 1 AND 63 AND id GLOB '[a-z0-9]*' AND id NOT GLOB '*[^a-z0-9_-]*'
    ),
    name TEXT NOT NULL,
    pinecone_environment TEXT,
    pinecone_index TEXT,
    pinecone_host TEXT,
    pinecone_api_key TEXT,
    pinecone_api_key_last_four TEXT,
    system_prompt TEXT,
    is_active BOOLEAN NOT NULL DEFAULT TRUE CHECK (is_active IN (FALSE, TRUE)),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

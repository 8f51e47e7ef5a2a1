-- Keys with which other programs act for a tenant. Of the key itself its SHA-256 is kept; `permissions` are scopes, separated by spaces.
CREATE TABLE api_keys (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    secret_hash BLOB NOT NULL CHECK (length(secret_hash) = 32),
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    permissions TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT,
    revoked_at BIGINT,
    replaced_by TEXT,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (secret_hash)
);

CREATE INDEX api_keys_by_creation ON api_keys (tenant_id, created_at, id);

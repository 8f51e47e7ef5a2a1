CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE CHECK (email = lower(email)),
    password_hash TEXT,
    is_superuser BOOLEAN NOT NULL DEFAULT FALSE CHECK (is_superuser IN (FALSE, TRUE)),
    is_active BOOLEAN NOT NULL DEFAULT TRUE CHECK (is_active IN (FALSE, TRUE)),
    tenant_id TEXT REFERENCES tenants (id),
    -- An unsigned 32-bit number; one that would come round to 0 is refused.
    token_version BIGINT NOT NULL DEFAULT 0 CHECK (token_version BETWEEN 0 AND 4294967295),
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX users_by_tenant ON users (tenant_id, email);

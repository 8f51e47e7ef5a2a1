-- Tenants that are being made from an archive: not to be used, and removed again when that is not finished.
CREATE TABLE tenant_imports (
    tenant_id TEXT NOT NULL PRIMARY KEY REFERENCES tenants (id),
    begun_at BIGINT NOT NULL
);

-- Tenants that are being erased. `removed` is a JSON object of the rows that are gone already, by table.
CREATE TABLE tenant_erasures (
    tenant_id TEXT NOT NULL PRIMARY KEY REFERENCES tenants (id),
    removed TEXT NOT NULL
);

-- Tenants that were erased, by the SHA-256 of their id, so that none is used again: with what the receipt says.
CREATE TABLE erased_tenants (
    id_hash BLOB NOT NULL PRIMARY KEY CHECK (length(id_hash) = 32),
    number BIGINT NOT NULL UNIQUE CHECK (number > 0),
    erased_at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT,
    removed TEXT NOT NULL
);

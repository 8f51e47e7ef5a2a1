-- Keys with which other programs act for a tenant. Of the key itself its SHA-256 is kept; `permissions` are scopes, separated by spaces.
CREATE TABLE api_keys (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    id TEXT COLLATE "C" NOT NULL,
    secret_hash BYTEA NOT NULL CHECK (octet_length(secret_hash) = 32),
    name TEXT NOT NULL,
    prefix TEXT COLLATE "C" NOT NULL,
    permissions TEXT COLLATE "C" NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT,
    revoked_at BIGINT,
    replaced_by TEXT COLLATE "C",
    PRIMARY KEY (tenant_id, id),
    UNIQUE (secret_hash)
);

CREATE INDEX api_keys_by_creation ON api_keys (tenant_id, created_at, id);

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON api_keys
    USING (tenant_id = current_setting('app.tenant_id', true))
    WITH CHECK (tenant_id = current_setting('app.tenant_id', true));
-- Whose a key is that somebody presents is found out in a transaction of its own, which sees the row of that hash alone; a tenant's
-- role is let through by no setting. Policies of one table are joined by OR.
CREATE POLICY presented ON api_keys FOR SELECT
    USING (
        current_user <> 'tenantry_tenant'
        AND encode(secret_hash, 'hex') = current_setting('app.presented_key', true)
    );

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_tenant') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON api_keys TO tenantry_tenant;
    END IF;
END
$$;

-- Identity providers whose tokens a tenant accepts. An empty `tenant_claim` asks for none; `roles` is a JSON object of roles by what
-- the role's claim says.
CREATE TABLE identity_providers (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    id TEXT COLLATE "C" NOT NULL,
    name TEXT NOT NULL,
    issuer TEXT COLLATE "C" NOT NULL CHECK (issuer <> ''),
    audience TEXT COLLATE "C" NOT NULL,
    email_claim TEXT NOT NULL,
    tenant_claim TEXT COLLATE "C" NOT NULL DEFAULT '',
    tenant_value TEXT COLLATE "C" NOT NULL DEFAULT '',
    role_claim TEXT,
    roles TEXT NOT NULL DEFAULT '{}',
    default_role TEXT NOT NULL CHECK (default_role IN ('reader', 'member', 'admin')),
    creates_users BOOLEAN NOT NULL,
    is_active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, issuer, audience, tenant_claim, tenant_value)
);

CREATE INDEX identity_providers_by_issuer ON identity_providers (issuer, tenant_id, id);

-- Who the subjects of the providers are.
CREATE TABLE identities (
    tenant_id TEXT COLLATE "C" NOT NULL,
    provider_id TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, provider_id, subject),
    FOREIGN KEY (tenant_id, provider_id) REFERENCES identity_providers (tenant_id, id) ON DELETE CASCADE
);

-- For what goes with a user.
CREATE INDEX identities_of_user ON identities (user_id);

DO $$
DECLARE
    owned TEXT;
BEGIN
    FOREACH owned IN ARRAY ARRAY['identity_providers', 'identities'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', owned);
        EXECUTE format(
            'CREATE POLICY one_tenant ON %I USING (tenant_id = current_setting(''app.tenant_id'', true)) '
                || 'WITH CHECK (tenant_id = current_setting(''app.tenant_id'', true))',
            owned
        );
    END LOOP;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_tenant') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON identity_providers, identities TO tenantry_tenant;
    END IF;
END
$$;

-- Who accepts a token is found out by its issuer, in a transaction of its own, which sees the providers of that issuer alone; a
-- tenant's role is let through by no setting.
CREATE POLICY presented ON identity_providers FOR SELECT
    USING (current_user <> 'tenantry_tenant' AND issuer = current_setting('app.presented_issuer', true));

-- Identity providers whose tokens a tenant accepts. An empty `tenant_claim` asks for none; `roles` is a JSON object of roles by what
-- the role's claim says.
CREATE TABLE identity_providers (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    issuer TEXT NOT NULL CHECK (issuer <> ''),
    audience TEXT NOT NULL,
    email_claim TEXT NOT NULL,
    tenant_claim TEXT NOT NULL DEFAULT '',
    tenant_value TEXT NOT NULL DEFAULT '',
    role_claim TEXT,
    roles TEXT NOT NULL DEFAULT '{}',
    default_role TEXT NOT NULL CHECK (default_role IN ('reader', 'member', 'admin')),
    creates_users BOOLEAN NOT NULL CHECK (creates_users IN (FALSE, TRUE)),
    is_active BOOLEAN NOT NULL CHECK (is_active IN (FALSE, TRUE)),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, issuer, audience, tenant_claim, tenant_value)
);

CREATE INDEX identity_providers_by_issuer ON identity_providers (issuer, tenant_id, id);

-- Who the subjects of the providers are.
CREATE TABLE identities (
    tenant_id TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, provider_id, subject),
    FOREIGN KEY (tenant_id, provider_id) REFERENCES identity_providers (tenant_id, id) ON DELETE CASCADE
);

-- For what goes with a user.
CREATE INDEX identities_of_user ON identities (user_id);

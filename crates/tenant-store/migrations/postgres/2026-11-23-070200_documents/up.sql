CREATE TABLE documents (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    id TEXT COLLATE "C" NOT NULL,
    title TEXT NOT NULL,
    media_type TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    failure TEXT,
    characters BIGINT NOT NULL,
    chunks BIGINT NOT NULL DEFAULT 0,
    created_at TIMESTAMP NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
    updated_at TIMESTAMP NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
    text TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE INDEX documents_by_age ON documents (tenant_id, created_at, id);

-- A tenant's transaction sets app.tenant_id; without it the setting is NULL or empty and no row is let through.
-- FORCE binds the table's owner too.
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE documents FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON documents
    USING (tenant_id = current_setting('app.tenant_id', true))
    WITH CHECK (tenant_id = current_setting('app.tenant_id', true));

-- A superuser, as managed platforms hand out, is bound by no policy: a tenant's transaction takes this role instead.
-- Roles belong to the cluster: another database may have made it, or be making it at this moment. A user who may
-- not make it goes on without; the server asks at start what holds, and says so.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_tenant') THEN
        BEGIN
            CREATE ROLE tenantry_tenant NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
        EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN
            NULL;
        END;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_tenant') THEN
        BEGIN
            -- From PostgreSQL 16 on even the role's maker must be granted it before SET ROLE works.
            IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
                EXECUTE format('GRANT tenantry_tenant TO %I', current_user);
            END IF;
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO tenantry_tenant', current_schema());
        GRANT SELECT, INSERT, UPDATE, DELETE ON documents TO tenantry_tenant;
    END IF;
END
$$;

-- The role stays: it belongs to the cluster and other databases may use it.
DROP TABLE documents;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_tenant') THEN
        EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM tenantry_tenant', current_schema());
    END IF;
END
$$;

-- What was done, one log for each tenant and `-` for the platform's own. Entries of a log are numbered from 1 on without a gap;
-- `hash` covers the whole entry and `previous_hash`, which is that of the entry before. `done_at` counts microseconds since 1970
-- (UTC). Names no tenant by a foreign key: a log outlives what it tells of.
CREATE TABLE audit_log (
    tenant_id TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL CHECK (number > 0),
    done_at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT COLLATE "C",
    address TEXT,
    request_id TEXT,
    action TEXT NOT NULL,
    target_kind TEXT,
    target_id TEXT COLLATE "C",
    details TEXT NOT NULL,
    previous_hash BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, number),
    CHECK ((target_kind IS NULL) = (target_id IS NULL))
);

CREATE INDEX audit_log_by_age ON audit_log (tenant_id, done_at, number);
-- For the list of all logs, in its order.
CREATE INDEX audit_log_of_all_by_age ON audit_log (done_at DESC, tenant_id, number DESC);

-- Where each log ends: what is missing at the end of a log cannot be seen in the rest of it.
CREATE TABLE audit_heads (
    tenant_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL CHECK (number >= 0),
    hash BYTEA NOT NULL
);

-- Entries are read and added. No policy lets anybody change one, the tables' owner included, and the tenants' role has no right to.
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant_reads ON audit_log FOR SELECT
    USING (tenant_id = current_setting('app.tenant_id', true));
CREATE POLICY one_tenant_adds ON audit_log FOR INSERT
    WITH CHECK (tenant_id = current_setting('app.tenant_id', true));

ALTER TABLE audit_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_heads FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON audit_heads
    USING (tenant_id = current_setting('app.tenant_id', true))
    WITH CHECK (tenant_id = current_setting('app.tenant_id', true));

-- The operator reads every log, and removes that of one tenant when the tenant is erased, each in a transaction of its own that says
-- so; a tenant's role is let through by no setting.
CREATE POLICY operator_reads ON audit_log FOR SELECT
    USING (current_user <> 'tenantry_tenant' AND current_setting('app.operator', true) = 'audit');
CREATE POLICY operator_reads ON audit_heads FOR SELECT
    USING (current_user <> 'tenantry_tenant' AND current_setting('app.operator', true) = 'audit');
CREATE POLICY operator_erases ON audit_log FOR DELETE
    USING (
        current_user <> 'tenantry_tenant' AND current_setting('app.operator', true) = 'erase'
        AND tenant_id = current_setting('app.tenant_id', true) AND tenant_id <> '-'
    );

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_tenant') THEN
        GRANT SELECT, INSERT ON audit_log TO tenantry_tenant;
        GRANT SELECT, INSERT, UPDATE ON audit_heads TO tenantry_tenant;
    END IF;
END
$$;

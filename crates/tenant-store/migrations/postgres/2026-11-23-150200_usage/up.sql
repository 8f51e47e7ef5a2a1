-- What models were called for, summed by day: days since 1970-01-01 (UTC). `user_id` is empty for work that nobody waits for.
CREATE TABLE usage_by_day (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    day BIGINT NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL DEFAULT '',
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('embedding', 'rewriting', 'answering')),
    model TEXT COLLATE "C" NOT NULL,
    calls BIGINT NOT NULL DEFAULT 0 CHECK (calls >= 0),
    estimated_calls BIGINT NOT NULL DEFAULT 0 CHECK (estimated_calls >= 0),
    prompt_tokens BIGINT NOT NULL DEFAULT 0 CHECK (prompt_tokens >= 0),
    completion_tokens BIGINT NOT NULL DEFAULT 0 CHECK (completion_tokens >= 0),
    PRIMARY KEY (tenant_id, day, user_id, kind, model)
);

-- For the sums of all tenants.
CREATE INDEX usage_of_all_by_day ON usage_by_day (day);

ALTER TABLE usage_by_day ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_by_day FORCE ROW LEVEL SECURITY;
CREATE POLICY one_tenant ON usage_by_day
    USING (tenant_id = current_setting('app.tenant_id', true))
    WITH CHECK (tenant_id = current_setting('app.tenant_id', true));
-- The operator's sums are read across tenants, in a transaction of their own that says so; a tenant's role is let through by no
-- setting. Policies of one table are joined by OR.
CREATE POLICY operator_reads ON usage_by_day FOR SELECT
    USING (current_user <> 'tenantry_tenant' AND current_setting('app.operator', true) = 'usage');

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_tenant') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON usage_by_day TO tenantry_tenant;
    END IF;
END
$$;

-- What models were called for, summed by day: days since 1970-01-01 (UTC). `user_id` is empty for work that nobody waits for.
CREATE TABLE usage_by_day (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    day BIGINT NOT NULL,
    user_id TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL CHECK (kind IN ('embedding', 'rewriting', 'answering')),
    model TEXT NOT NULL,
    calls BIGINT NOT NULL DEFAULT 0 CHECK (calls >= 0),
    estimated_calls BIGINT NOT NULL DEFAULT 0 CHECK (estimated_calls >= 0),
    prompt_tokens BIGINT NOT NULL DEFAULT 0 CHECK (prompt_tokens >= 0),
    completion_tokens BIGINT NOT NULL DEFAULT 0 CHECK (completion_tokens >= 0),
    PRIMARY KEY (tenant_id, day, user_id, kind, model)
);

-- For the sums of all tenants.
CREATE INDEX usage_of_all_by_day ON usage_by_day (day);

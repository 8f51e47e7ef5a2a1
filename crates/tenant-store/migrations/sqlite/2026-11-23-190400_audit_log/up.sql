-- What was done, one log for each tenant and `-` for the platform's own. Entries of a log are numbered from 1 on without a gap;
-- `hash` covers the whole entry and `previous_hash`, which is that of the entry before. `done_at` counts microseconds since 1970
-- (UTC). Names no tenant by a foreign key: a log outlives what it tells of.
CREATE TABLE audit_log (
    tenant_id TEXT NOT NULL,
    number BIGINT NOT NULL CHECK (number > 0),
    done_at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT,
    address TEXT,
    request_id TEXT,
    action TEXT NOT NULL,
    target_kind TEXT,
    target_id TEXT,
    details TEXT NOT NULL,
    previous_hash BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (tenant_id, number),
    CHECK ((target_kind IS NULL) = (target_id IS NULL))
);

CREATE INDEX audit_log_by_age ON audit_log (tenant_id, done_at, number);
-- For the list of all logs, in its order.
CREATE INDEX audit_log_of_all_by_age ON audit_log (done_at DESC, tenant_id, number DESC);

-- Where each log ends: what is missing at the end of a log cannot be seen in the rest of it.
CREATE TABLE audit_heads (
    tenant_id TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL CHECK (number >= 0),
    hash BLOB NOT NULL
);

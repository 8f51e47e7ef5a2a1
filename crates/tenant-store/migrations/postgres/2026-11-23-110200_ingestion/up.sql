-- Moments of these tables are microseconds since 1970, which both databases compare and hand over faster than dates.

-- The bytes of files that were handed in, until their text was read out. The bytes come last: SQLite walks through
-- them to reach the columns behind.
CREATE TABLE source_parts (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    source_id TEXT COLLATE "C" NOT NULL,
    place BIGINT NOT NULL,
    added_at BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, source_id, place)
);

CREATE INDEX source_parts_by_age ON source_parts (tenant_id, added_at, source_id);

-- From `source_id` on it is about the version that the job makes; `text_read` is a JSON object, written when the file's
-- text was read out.
CREATE TABLE jobs (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    id TEXT COLLATE "C" NOT NULL,
    document_id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('ingest', 'remove')),
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    stage TEXT NOT NULL CHECK (stage IN ('extracting', 'indexing', 'cleaning', 'removing')),
    segments_done BIGINT NOT NULL DEFAULT 0,
    segments BIGINT NOT NULL DEFAULT 0,
    chunks BIGINT NOT NULL DEFAULT 0,
    reused BIGINT NOT NULL DEFAULT 0,
    characters BIGINT NOT NULL DEFAULT 0,
    reason TEXT,
    attempts BIGINT NOT NULL DEFAULT 0,
    not_before BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    begun BOOLEAN NOT NULL DEFAULT FALSE,
    cancel_requested BOOLEAN NOT NULL DEFAULT FALSE,
    lease_token TEXT,
    lease_until BIGINT,
    source_id TEXT COLLATE "C",
    content_hash BYTEA,
    given_title TEXT,
    file_name TEXT,
    declared TEXT,
    metadata TEXT,
    text_read TEXT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, document_id) REFERENCES documents (tenant_id, id),
    CHECK ((state = 'running') = (lease_token IS NOT NULL AND lease_until IS NOT NULL)),
    CHECK ((kind = 'ingest') = (source_id IS NOT NULL AND metadata IS NOT NULL))
);

CREATE INDEX jobs_by_turn ON jobs (tenant_id, state, not_before, id);
CREATE INDEX jobs_by_document ON jobs (tenant_id, document_id, version);
CREATE INDEX jobs_by_age ON jobs (tenant_id, created_at, id);

-- Which tenants workers are to look at, and when: `due_at` is never later than the moment at which one of the
-- tenant's jobs may be begun or its lease ends, and NULL when there is none. No tenant's content: workers read it across tenants.
CREATE TABLE ingest_queue (
    tenant_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES tenants (id),
    served_at BIGINT NOT NULL DEFAULT 0,
    due_at BIGINT
);

CREATE INDEX ingest_queue_by_turn ON ingest_queue (due_at, served_at);

-- Which model made each index. A forgotten one leaves its row, so that its number is not given again.
CREATE TABLE indexes (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    generation BIGINT NOT NULL CHECK (generation > 0),
    provider TEXT,
    model TEXT,
    dimension BIGINT,
    state TEXT NOT NULL CHECK (state IN ('building', 'live', 'retired', 'forgotten')),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, generation),
    CHECK ((provider IS NULL) = (model IS NULL))
);

CREATE UNIQUE INDEX indexes_one_live ON indexes (tenant_id) WHERE state = 'live';
CREATE UNIQUE INDEX indexes_one_building ON indexes (tenant_id) WHERE state = 'building';

-- What was on its way in or out when the tables were changed gets a job, of the document's own id.
ALTER TABLE documents NO FORCE ROW LEVEL SECURITY;
INSERT INTO jobs (
    tenant_id, id, document_id, version, kind, state, stage, segments, characters, not_before, created_at, updated_at,
    begun, source_id, given_title, metadata, text_read
)
SELECT
    tenant_id, id, id, 1, 'ingest', 'queued', 'indexing', 1, characters, moment, moment, moment, TRUE, id, title, '{}',
    json_build_object(
        'media_type', media_type, 'format', text_format, 'title', title, 'characters', characters, 'segments', 1
    )::TEXT
FROM (SELECT *, (extract(epoch FROM updated_at) * 1000000)::BIGINT AS moment FROM documents) AS documents
WHERE state = 'indexing';
INSERT INTO jobs (
    tenant_id, id, document_id, version, kind, state, stage, not_before, created_at, updated_at
)
SELECT tenant_id, id, id, 1, 'remove', 'queued', 'removing', moment, moment, moment
FROM (SELECT *, (extract(epoch FROM updated_at) * 1000000)::BIGINT AS moment FROM documents) AS documents
WHERE state = 'deleting';
ALTER TABLE documents FORCE ROW LEVEL SECURITY;
INSERT INTO ingest_queue (tenant_id, due_at) SELECT tenant_id, min(not_before) FROM jobs GROUP BY tenant_id;

DO $$
DECLARE
    owned TEXT;
BEGIN
    FOREACH owned IN ARRAY ARRAY['source_parts', 'jobs'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', owned);
        EXECUTE format(
            'CREATE POLICY one_tenant ON %I USING (tenant_id = current_setting(''app.tenant_id'', true)) '
                || 'WITH CHECK (tenant_id = current_setting(''app.tenant_id'', true))',
            owned
        );
    END LOOP;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_tenant') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON source_parts, jobs, ingest_queue, indexes TO tenantry_tenant;
    END IF;
END
$$;

-- The tables of the pgvector store, version 1. Every key begins with the tenant, every policy lets through one tenant's rows.

-- One index of one tenant. `chunks` and `words` are kept because BM25 asks for them with every search.
CREATE TABLE tenantry_vector_indexes (
    tenant_id TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    dimension INTEGER,
    chunks BIGINT NOT NULL DEFAULT 0,
    words BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, generation)
);

-- One version of one document, with the metadata that filters read.
CREATE TABLE tenantry_vector_versions (
    tenant_id TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    document UUID NOT NULL,
    version BIGINT NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    chunks BIGINT NOT NULL DEFAULT 0,
    metadata JSONB NOT NULL,
    PRIMARY KEY (tenant_id, generation, document, version),
    UNIQUE (tenant_id, generation, id)
);

-- `headings` is a list in JSON, `terms` the chunk's different terms with spaces between: its postings.
CREATE TABLE tenantry_vector_chunks (
    tenant_id TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    version_id BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    span_start BIGINT NOT NULL,
    span_end BIGINT NOT NULL,
    page BIGINT,
    words BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    headings TEXT NOT NULL,
    text TEXT NOT NULL,
    terms TEXT NOT NULL,
    PRIMARY KEY (tenant_id, generation, version_id, ordinal)
);

-- How often a term stands in a chunk, and beside it the chunk's length, so that a search reads nothing but this key.
CREATE TABLE tenantry_vector_postings (
    tenant_id TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    term TEXT COLLATE "C" NOT NULL,
    version_id BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    times INTEGER NOT NULL,
    words INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, generation, term, version_id, ordinal) INCLUDE (times, words)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);

-- Apart from the chunks, so that a scan reads embeddings alone.
CREATE TABLE tenantry_vector_embeddings (
    tenant_id TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    version_id BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    dimension INTEGER NOT NULL,
    embedding vector NOT NULL,
    PRIMARY KEY (tenant_id, generation, version_id, ordinal)
) WITH (toast_tuple_target = 8160);
-- In the row while it fits a page, up to about 2,000 numbers: elsewhere each would cost a scan several reads more.
ALTER TABLE tenantry_vector_embeddings ALTER COLUMN embedding SET STORAGE MAIN;

-- The graphs (HNSW) that were begun; written by the user that made the tables alone, never in a tenant's name.
CREATE TABLE tenantry_vector_graphs (
    tenant_id TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    index_id BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, generation, index_id)
);

-- A tenant's transaction sets app.tenant_id; without it the setting is NULL or empty and no row is let through. FORCE binds
-- the tables' owner too. A superuser is bound by no policy, so a tenant's transaction takes the role below instead: roles
-- belong to the cluster, and another database, or the records' own migration, may have made it or be making it. A user
-- who may not make it goes on without, and the store says what then holds.
DO $$
DECLARE
    owned TEXT;
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
        BEGIN
            -- The type may live elsewhere, as in `extensions`.
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO tenantry_tenant',
                (SELECT nspname FROM pg_extension JOIN pg_namespace AS n ON n.oid = extnamespace
                 WHERE extname = 'vector'));
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END IF;
    FOREACH owned IN ARRAY ARRAY['indexes', 'versions', 'chunks', 'postings', 'embeddings'] LOOP
        owned := 'tenantry_vector_' || owned;
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', owned);
        EXECUTE format(
            'CREATE POLICY one_tenant ON %I USING (tenant_id = current_setting(''app.tenant_id'', true))
                WITH CHECK (tenant_id = current_setting(''app.tenant_id'', true))', owned);
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantry_tenant') THEN
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO tenantry_tenant', owned);
        END IF;
    END LOOP;
END
$$;

-- `version` is the one that may be found, 0 while there is none; `latest_version` the last that was begun.
ALTER TABLE documents ADD COLUMN external_id TEXT;
ALTER TABLE documents ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';
ALTER TABLE documents ADD COLUMN content_hash BLOB;
ALTER TABLE documents ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN latest_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN text_format TEXT NOT NULL DEFAULT 'plain';
ALTER TABLE documents ADD COLUMN segments BIGINT NOT NULL DEFAULT 0;

CREATE UNIQUE INDEX documents_by_external_id ON documents (tenant_id, external_id)
    WHERE external_id IS NOT NULL AND state <> 'deleting';
CREATE UNIQUE INDEX documents_by_content ON documents (tenant_id, content_hash)
    WHERE external_id IS NULL AND state <> 'deleting';

-- A document's text, in pieces that are short enough to be read one by one. `start` counts code points of the whole
-- text; `headings` is a JSON list of texts, `pages` one of [code point, page].
CREATE TABLE document_segments (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    document_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    start BIGINT NOT NULL,
    headings TEXT NOT NULL,
    pages TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (tenant_id, document_id, version, ordinal),
    FOREIGN KEY (tenant_id, document_id) REFERENCES documents (tenant_id, id)
);

-- What is there becomes version 1, in one piece. Documents that were on their way are gone on with: see the jobs.
INSERT INTO document_segments (tenant_id, document_id, version, ordinal, start, headings, pages, text)
    SELECT tenant_id, id, 1, 0, 0, '[]', '[]', text FROM documents;
UPDATE documents SET
    version = CASE state WHEN 'ready' THEN 1 ELSE 0 END,
    latest_version = 1,
    text_format = CASE media_type WHEN 'text/markdown' THEN 'markdown' ELSE 'plain' END,
    segments = 1,
    state = CASE WHEN state IN ('pending', 'embedding', 'upserting') THEN 'indexing' ELSE state END;

ALTER TABLE documents DROP COLUMN text;

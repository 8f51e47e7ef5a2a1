ALTER TABLE documents NO FORCE ROW LEVEL SECURITY;
ALTER TABLE document_segments NO FORCE ROW LEVEL SECURITY;

ALTER TABLE documents ADD COLUMN text TEXT NOT NULL DEFAULT '';
UPDATE documents SET text = coalesce((
    SELECT string_agg(segment.text, '' ORDER BY segment.ordinal) FROM document_segments AS segment
    WHERE segment.tenant_id = documents.tenant_id AND segment.document_id = documents.id
        AND segment.version = CASE documents.version WHEN 0 THEN documents.latest_version ELSE documents.version END
), '');
UPDATE documents SET state = 'pending' WHERE state IN ('extracting', 'indexing');
ALTER TABLE documents ALTER COLUMN text DROP DEFAULT;

DROP TABLE document_segments;
DROP INDEX documents_by_content;
DROP INDEX documents_by_external_id;
ALTER TABLE documents
    DROP COLUMN segments,
    DROP COLUMN text_format,
    DROP COLUMN latest_version,
    DROP COLUMN version,
    DROP COLUMN content_hash,
    DROP COLUMN metadata,
    DROP COLUMN external_id;
ALTER TABLE documents FORCE ROW LEVEL SECURITY;

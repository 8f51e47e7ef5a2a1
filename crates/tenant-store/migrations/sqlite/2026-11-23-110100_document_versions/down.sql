ALTER TABLE documents ADD COLUMN text TEXT NOT NULL DEFAULT '';
UPDATE documents SET text = coalesce((
    SELECT group_concat(piece.text, '') FROM (
        SELECT text FROM document_segments AS segment
        WHERE segment.tenant_id = documents.tenant_id AND segment.document_id = documents.id
            AND segment.version = CASE documents.version WHEN 0 THEN documents.latest_version ELSE documents.version END
        ORDER BY segment.ordinal
    ) AS piece
), '');
UPDATE documents SET state = 'pending' WHERE state IN ('extracting', 'indexing');

DROP TABLE document_segments;
DROP INDEX documents_by_content;
DROP INDEX documents_by_external_id;
ALTER TABLE documents DROP COLUMN segments;
ALTER TABLE documents DROP COLUMN text_format;
ALTER TABLE documents DROP COLUMN latest_version;
ALTER TABLE documents DROP COLUMN version;
ALTER TABLE documents DROP COLUMN content_hash;
ALTER TABLE documents DROP COLUMN metadata;
ALTER TABLE documents DROP COLUMN external_id;

DROP TABLE indexes;
DROP TABLE ingest_queue;
DROP TABLE jobs;
DROP TABLE source_parts;

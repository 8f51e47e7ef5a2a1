ALTER TABLE tenants DROP COLUMN search_min_score;
ALTER TABLE tenants DROP COLUMN search_lexical_weight;
ALTER TABLE tenants DROP COLUMN search_dense_weight;
ALTER TABLE tenants DROP COLUMN search_k;
ALTER TABLE tenants DROP COLUMN pinecone_external_text_field;
ALTER TABLE tenants DROP COLUMN pinecone_external_namespace;

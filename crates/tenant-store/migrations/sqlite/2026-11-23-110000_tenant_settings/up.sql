-- How an index that another tool fills is read; both or neither.
ALTER TABLE tenants ADD COLUMN pinecone_external_namespace TEXT;
ALTER TABLE tenants ADD COLUMN pinecone_external_text_field TEXT;

-- How the tenant's knowledge is searched; the program's defaults where nothing is said.
ALTER TABLE tenants ADD COLUMN search_k REAL;
ALTER TABLE tenants ADD COLUMN search_dense_weight REAL;
ALTER TABLE tenants ADD COLUMN search_lexical_weight REAL;
ALTER TABLE tenants ADD COLUMN search_min_score REAL;

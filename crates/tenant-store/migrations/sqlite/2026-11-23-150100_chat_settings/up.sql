ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'admin'));

-- How the tenant's questions are answered: a JSON object with what differs from the program's defaults.
ALTER TABLE tenants ADD COLUMN chat TEXT NOT NULL DEFAULT '{}';

-- The tenant's own provider of models; the key is sealed.
ALTER TABLE tenants ADD COLUMN llm_base_url TEXT;
ALTER TABLE tenants ADD COLUMN llm_api_key TEXT CHECK (llm_api_key IS NULL OR llm_base_url IS NOT NULL);
ALTER TABLE tenants ADD COLUMN llm_api_key_last_four TEXT;

-- What the tenant's system prompt was, from version to version. The text comes last: SQLite walks through a long one to reach
-- the columns behind it.
CREATE TABLE system_prompts (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    number BIGINT NOT NULL CHECK (number BETWEEN 1 AND 4294967295),
    author TEXT,
    created_at BIGINT NOT NULL,
    text TEXT,
    PRIMARY KEY (tenant_id, number)
);

-- What each prompt is now is its first version.
INSERT INTO system_prompts (tenant_id, number, created_at, text)
SELECT id, 1, CAST(round((julianday(updated_at) - 2440587.5) * 86400000.0) AS INTEGER) * 1000, system_prompt
FROM tenants WHERE system_prompt IS NOT NULL;

DROP TABLE system_prompts;
ALTER TABLE tenants DROP COLUMN llm_api_key_last_four;
ALTER TABLE tenants DROP COLUMN llm_api_key;
ALTER TABLE tenants DROP COLUMN llm_base_url;
ALTER TABLE tenants DROP COLUMN chat;
ALTER TABLE users DROP COLUMN role;

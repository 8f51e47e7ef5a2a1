ALTER TABLE tenants DROP COLUMN ingesters;

ALTER TABLE users DROP COLUMN sessions_ended_at;
-- Who could only ask can do nothing less in the schema before: a reader is switched off, not given more.
UPDATE users SET is_active = FALSE, role = 'member' WHERE role = 'reader';
ALTER TABLE users DROP CONSTRAINT users_role_check;
ALTER TABLE users ADD CONSTRAINT users_role_check CHECK (role IN ('member', 'admin'));

-- SQLite cannot change a check, so that the column is made anew.
ALTER TABLE users ADD COLUMN new_role TEXT NOT NULL DEFAULT 'member' CHECK (new_role IN ('reader', 'member', 'admin'));
UPDATE users SET new_role = role;
ALTER TABLE users DROP COLUMN role;
ALTER TABLE users RENAME COLUMN new_role TO role;
-- When the user's sessions were last ended: tokens of identity providers that are older are refused.
ALTER TABLE users ADD COLUMN sessions_ended_at TIMESTAMP;

ALTER TABLE tenants ADD COLUMN ingesters TEXT NOT NULL DEFAULT 'members' CHECK (ingesters IN ('members', 'admins'));

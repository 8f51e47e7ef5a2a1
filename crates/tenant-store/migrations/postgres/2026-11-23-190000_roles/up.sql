ALTER TABLE users DROP CONSTRAINT users_role_check;
ALTER TABLE users ADD CONSTRAINT users_role_check CHECK (role IN ('reader', 'member', 'admin'));
-- When the user's sessions were last ended: tokens of identity providers that are older are refused.
ALTER TABLE users ADD COLUMN sessions_ended_at TIMESTAMP;

ALTER TABLE tenants ADD COLUMN ingesters TEXT NOT NULL DEFAULT 'members' CHECK (ingesters IN ('members', 'admins'));

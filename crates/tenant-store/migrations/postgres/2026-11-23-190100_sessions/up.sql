-- A log-in of a user. `token_version` is the user's when it began: of another one it is over. One that is ended leaves no row.
CREATE TABLE sessions (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_version BIGINT NOT NULL,
    method TEXT NOT NULL CHECK (method IN ('password', 'identity')),
    client TEXT,
    address TEXT,
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX sessions_by_use ON sessions (user_id, used_at, id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- The SHA-256 of each refresh token of a session. Those that were used are kept while it lives, to know them again; one at most is not.
CREATE TABLE refresh_tokens (
    hash BYTEA NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    is_used BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE INDEX refresh_tokens_of_session ON refresh_tokens (session_id);
CREATE UNIQUE INDEX refresh_tokens_one_works ON refresh_tokens (session_id) WHERE NOT is_used;

-- The SHA-256 of the secret with which a user's password may be set until `expires_at`.
CREATE TABLE password_resets (
    user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret BYTEA NOT NULL UNIQUE CHECK (length(secret) = 32),
    expires_at BIGINT NOT NULL
);

-- How often what an account's address or a client's hashes to was tried in vain.
CREATE TABLE login_throttle (
    key BYTEA NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    failures BIGINT NOT NULL CHECK (failures >= 0),
    last_at BIGINT NOT NULL
);

CREATE INDEX login_throttle_by_age ON login_throttle (last_at);

CREATE INDEX users_superusers ON users (id) WHERE is_superuser AND is_active;

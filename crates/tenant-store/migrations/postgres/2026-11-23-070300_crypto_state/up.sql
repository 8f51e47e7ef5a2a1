CREATE TABLE crypto_state (
    kid TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    canary TEXT NOT NULL,
    kdf TEXT NOT NULL,
    salt BYTEA,
    created_at TIMESTAMP NOT NULL
);

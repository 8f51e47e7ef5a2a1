CREATE TABLE crypto_state (
    kid TEXT NOT NULL PRIMARY KEY,
    canary TEXT NOT NULL,
    kdf TEXT NOT NULL,
    salt BLOB,
    created_at TIMESTAMP NOT NULL
);

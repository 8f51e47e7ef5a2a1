DROP TABLE crypto_state;

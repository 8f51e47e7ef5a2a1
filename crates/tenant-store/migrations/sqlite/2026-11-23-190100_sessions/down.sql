DROP INDEX users_superusers;

DROP TABLE login_throttle;
DROP TABLE password_resets;
DROP TABLE refresh_tokens;
DROP TABLE sessions;

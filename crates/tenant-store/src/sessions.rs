use tenantry_domain::{Actor, PasswordHash, Session, SessionId, Timestamp, TokenHash, User, UserId};

use crate::StoreError;

/// A session to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// The session.
    pub session: Session,
    /// The hash of its first refresh token.
    pub refresh: TokenHash,
    /// The user's token version when the credential was verified: of another one the session does not begin.
    pub token_version: u32,
    /// The password's hash under newer parameters, and the one that it takes the place of, if the user still has that.
    pub rehash: Option<(PasswordHash, PasswordHash)>,
}

/// What became of a refresh token that was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refreshed {
    /// It was the session's latest; the next one stands in its place.
    Rotated {
        /// The session.
        session: Session,
        /// Whose it is.
        user: Box<User>,
    },
    /// It had been used before, so that somebody else has it too: its session was ended.
    Reused,
    /// It is none, or its session has ended, or its user or the user's tenant may not be used.
    Refused,
}

/// Keeps the sessions of users, each a family of refresh tokens of which only the latest works, and one-time links to set a password.
///
/// A session lives until it is ended, its time is over, or the user's token version is raised, which ends all of them and the link with
/// them. The hashes of its used tokens are kept while it lives, and nothing of it afterwards.
///
/// # Examples
/// ```
/// use tenantry_domain::{Actor, Timestamp, TokenHash};
/// use tenantry_tenant_store::{MemoryStore, Refreshed, SessionStore};
///
/// let store = MemoryStore::new();
/// let [presented, next] = [[1; 32], [2; 32]].map(TokenHash::from_bytes);
/// let now = Timestamp::from_unix_micros(0)?;
/// let refreshed = store.refresh_session(presented, next, &Actor::system(), now)?;
/// assert_eq!(refreshed, Refreshed::Refused);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait SessionStore: Send + Sync {
    /// Begins a session at its `created_at`, and removes what is left of the user's that are over, and of some of others'. Of more than
    /// [`MAX_SESSIONS`] live ones the least recently used is ended. `false`, and nothing done, when the user is gone, inactive, or has
    /// another token version by now. Entered as [`tenantry_domain::AuditAction::LoggedIn`].
    ///
    /// # Errors
    /// [`StoreError::IdTaken`] when there is a session of that id or a token of that hash; else when the store fails.
    fn begin_session(&self, new: &NewSession, actor: &Actor) -> Result<bool, StoreError>;

    /// Takes a refresh token once, and puts `next` in its place. Whether it was used before, and whether its session, user and the
    /// user's tenant are live, is decided in the same step: of many who present it at once one gets the next, the second ends the session,
    /// and the rest are refused. Entered as `SessionRefreshed` by the user, or as `RefreshTokenReused`; refused ones are not.
    ///
    /// # Errors
    /// [`StoreError::IdTaken`] when there is a token of the hash `next`; else when the store fails.
    fn refresh_session(
        &self,
        presented: TokenHash,
        next: TokenHash,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Refreshed, StoreError>;

    /// The user's live sessions, the most recently used first.
    ///
    /// # Errors
    /// When the store fails.
    fn sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError>;

    /// Ends one of the user's sessions; whether it was live. Entered as `SessionEnded`.
    ///
    /// # Errors
    /// When the store fails.
    fn end_session(
        &self,
        user: UserId,
        id: SessionId,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Keeps a one-time secret with which the user's password may be set until `expires_at`, in place of any earlier one. It also ends
    /// with whatever ends all of the user's sessions, so that nobody who was handed one comes to what the user became since. `false` when
    /// there is no such user. Entered as `PasswordResetIssued`.
    ///
    /// # Errors
    /// [`StoreError::IdTaken`] when another user has that secret; else when the store fails.
    fn issue_reset(
        &self,
        user: UserId,
        secret: TokenHash,
        expires_at: Timestamp,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// The active user whose password may be set with that secret now.
    ///
    /// # Errors
    /// When the store fails.
    fn reset_user(&self, secret: TokenHash, now: Timestamp) -> Result<Option<User>, StoreError>;

    /// Sets the password with the secret, which works no more, and ends every session of the user. `None`, and nothing done, when the
    /// secret does not work (any more); of many who redeem it at once one sets the password. Entered as `PasswordReset`.
    ///
    /// # Errors
    /// When the store fails.
    fn redeem_reset(
        &self,
        secret: TokenHash,
        password: &PasswordHash,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError>;
}

/// How many live sessions a user has at most.
pub const MAX_SESSIONS: usize = 100;

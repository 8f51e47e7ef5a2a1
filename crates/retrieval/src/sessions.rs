use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tenantry_domain::{AccessClaims, LoginMethod, PasswordHash, Principal, Session, SessionId, User};
use tenantry_tenant_store::{NewSession, Refreshed, StoreError, UserChange};

use crate::accounts::{AccountParts, Client};
use crate::opaque::{NoRandomness, Purpose};
use crate::resolve::AccountHolder;

/// Why a session did not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// The refresh token is none, was used before, or its session is over: the same for all.
    #[error("the refresh token is not valid")]
    Refused,
    /// The next token could not be made.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Somebody who is logged in, with what the session goes on with.
#[derive(Debug)]
pub struct LoggedIn {
    /// The user, as the store knew them a moment ago.
    pub user: User,
    /// The session.
    pub session: Session,
    /// Its refresh token: shown to the user alone, and good once.
    pub refresh_token: SecretString,
}

impl LoggedIn {
    /// What an access token of the session says.
    pub fn claims(&self) -> AccessClaims {
        AccessClaims {
            user: self.user.id,
            tenant: self.user.tenant.clone(),
            token_version: self.user.token_version,
            session: Some(self.session.id),
        }
    }
}

/// Which of the caller's sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhichSession {
    /// The one that the request's token is of.
    Current,
    /// One by its id.
    Id(SessionId),
}

/// Users' sessions: each begins with a log-in, goes on with refresh tokens that are good once, and ends.
///
/// An ended session's tokens are refused at once by this process, and within a second by others.
#[derive(Debug)]
pub struct Sessions {
    parts: AccountParts,
    lifetime: Duration,
}

impl Sessions {
    /// Sessions that end `lifetime` after the log-in at the latest.
    pub fn new(parts: AccountParts, lifetime: Duration) -> Self {
        Self { parts, lifetime }
    }

    /// Takes a refresh token once, and gives the next one. One that was used before ends its session: somebody else has it too.
    ///
    /// # Errors
    /// [`RefreshError::Refused`] when the token is none, was used before, or its session, its user or the user's tenant may not be used;
    /// else when the store fails.
    pub fn refresh(&self, token: &SecretString, client: &Client) -> Result<LoggedIn, RefreshError> {
        let presented = Purpose::Refresh
            .hash(token.expose_secret())
            .ok_or(RefreshError::Refused)?;
        let next = Purpose::Refresh.generate()?;
        let actor = client.nobody();
        let now = self.parts.clock.now();
        match self
            .parts
            .sessions
            .refresh_session(presented, next.hash, &actor, now)?
        {
            Refreshed::Rotated { session, user } => Ok(LoggedIn {
                user: *user,
                session,
                refresh_token: next.text,
            }),
            Refreshed::Reused => {
                self.parts.resolver.forget();
                Err(RefreshError::Refused)
            }
            Refreshed::Refused => Err(RefreshError::Refused),
        }
    }

    /// The user's live sessions, the most recently used first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list(&self, holder: &AccountHolder) -> Result<Vec<Session>, StoreError> {
        self.parts
            .sessions
            .sessions(holder.user().id, self.parts.clock.now())
    }

    /// Ends one of the user's sessions; whether it was live.
    ///
    /// # Errors
    /// When the store fails.
    pub fn end(&self, holder: &AccountHolder, which: WhichSession) -> Result<bool, StoreError> {
        let id = match which {
            WhichSession::Id(id) => Some(id),
            WhichSession::Current => holder.session(),
        };
        let Some(id) = id else { return Ok(false) };
        let now = self.parts.clock.now();
        let ended = self
            .parts
            .sessions
            .end_session(holder.user().id, id, holder.actor(), now)?;
        self.parts.resolver.forget();
        Ok(ended)
    }

    /// Ends every session of the user, and every token that was issued before.
    ///
    /// # Errors
    /// When the store fails.
    pub fn end_all(&self, holder: &AccountHolder) -> Result<(), StoreError> {
        let change = UserChange {
            end_sessions: true,
            actor: holder.actor().clone(),
            ..UserChange::default()
        };
        self.parts
            .users
            .update_user(holder.user().id, &change, self.parts.clock.now())?;
        self.parts.resolver.forget();
        Ok(())
    }

    /// Begins a session of `user`, whose credential was verified; `None` when the user may not log in any more, or has ended all
    /// sessions meanwhile.
    pub(crate) fn begin(
        &self,
        user: User,
        rehash: Option<(PasswordHash, PasswordHash)>,
        client: &Client,
    ) -> Result<Option<LoggedIn>, BeginError> {
        let refresh = Purpose::Refresh.generate()?;
        let now = self.parts.clock.now();
        let new = NewSession {
            session: Session {
                id: SessionId::generate(now),
                user: user.id,
                method: LoginMethod::Password,
                client: client.shown_name(),
                address: client.origin.address,
                created_at: now,
                used_at: now,
                expires_at: now.saturating_add(self.lifetime),
            },
            refresh: refresh.hash,
            token_version: user.token_version,
            rehash,
        };
        let actor = client.acting_as(Principal::User(user.id));
        let begun = self.parts.sessions.begin_session(&new, &actor)?;
        Ok(begun.then(|| LoggedIn {
            user,
            session: new.session,
            refresh_token: refresh.text,
        }))
    }
}

/// Why a session did not begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BeginError {
    #[error(transparent)]
    Random(#[from] NoRandomness),
    #[error(transparent)]
    Store(#[from] StoreError),
}

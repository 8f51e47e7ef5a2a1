use std::net::IpAddr;
use std::sync::Arc;

use secrecy::SecretString;
use tenantry_crypto::{Password, PasswordError, Verdict};
use tenantry_domain::{AuditAction, AuditEvent, Email, TenantId, UserId};
use tenantry_tenant_store::{Access, AuditLog, StoreError};

use super::throttle::{Counts, ThrottleError, network};
use super::{AccountParts, Client, TooManyAttempts};
use crate::opaque::NoRandomness;
use crate::sessions::{BeginError, LoggedIn, Sessions};

/// Why nobody was logged in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// Unknown account, wrong password, or an account that may not log in: the same for all.
    #[error("the e-mail address or the password is wrong")]
    Refused,
    /// The account or the client has to wait, whether or not there is such an account and the password is right.
    #[error(transparent)]
    TooMany(#[from] TooManyAttempts),
    /// The password could not be verified.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The session's token could not be made.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ThrottleError> for LoginError {
    fn from(error: ThrottleError) -> Self {
        match error {
            ThrottleError::TooMany(error) => error.into(),
            ThrottleError::Store(error) => error.into(),
        }
    }
}

impl From<BeginError> for LoginError {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::Random(error) => error.into(),
            BeginError::Store(error) => error.into(),
        }
    }
}

/// Logs in with a password. An unknown account takes the same steps as a wrong password, one after the other.
#[derive(Debug)]
pub struct LogIns {
    parts: AccountParts,
    sessions: Arc<Sessions>,
}

/// An account as far as a log-in goes; without one there is only what was typed.
struct Account<'a> {
    /// The address as it was given.
    given: &'a str,
    /// The address, when it is one.
    email: Option<Email>,
    /// Whose account it is; a new id when there is none, for the same reads.
    id: UserId,
    is_known: bool,
    tenant: Option<TenantId>,
}

impl LogIns {
    /// Log-ins that begin `sessions`.
    pub fn new(parts: AccountParts, sessions: Arc<Sessions>) -> Self {
        Self { parts, sessions }
    }

    /// Begins a session of the user with this address and password. It takes one password verification whoever asks.
    ///
    /// # Errors
    /// [`LoginError::Refused`] when there is no such user, the password is wrong, or the user or the user's tenant is not
    /// active; [`LoginError::TooMany`] when too many attempts have failed; else when the hasher or the store fails.
    pub fn log_in(
        &self,
        email: &str,
        password: &SecretString,
        client: &Client,
    ) -> Result<LoggedIn, LoginError> {
        let password = Password::new(password).map_err(|_| LoginError::Refused)?;
        let account = self.account(email)?;
        let counts = self.counts(&account, client.origin.address)?;
        let admitted = self.parts.throttle.attempt(counts)?;
        match self.verified(&account, &password, client) {
            Ok(Some(logged_in)) => {
                admitted.succeeded()?;
                Ok(logged_in)
            }
            Ok(None) => {
                self.enter_failure(&account, client)?;
                Err(LoginError::Refused)
            }
            Err(error) => {
                admitted.undo();
                Err(error)
            }
        }
    }

    fn account<'a>(&self, given: &'a str) -> Result<Account<'a>, StoreError> {
        let email = Email::parse(given).ok();
        let user = match &email {
            Some(email) => self.parts.users.user_by_email(email)?,
            None => None,
        };
        Ok(Account {
            given,
            email,
            id: user
                .as_ref()
                .map_or_else(|| UserId::generate(self.parts.clock.now()), |user| user.id),
            is_known: user.is_some(),
            tenant: user.and_then(|user| user.tenant),
        })
    }

    /// What the attempt counts for: who sits where the account is logged in already is not held up by others.
    fn counts(&self, account: &Account<'_>, address: Option<IpAddr>) -> Result<Counts, StoreError> {
        let sessions = self.parts.sessions.sessions(account.id, self.parts.clock.now())?;
        let here = address.map(network);
        let is_known_here = sessions
            .iter()
            .any(|session| here.is_some() && session.address.map(network) == here);
        Ok(match address {
            Some(address) if is_known_here => Counts::known(account.given, address),
            _ => Counts::log_in(account.given, address),
        })
    }

    /// A session when the password is right and the account may log in.
    fn verified(
        &self,
        account: &Account<'_>,
        password: &Password,
        client: &Client,
    ) -> Result<Option<LoggedIn>, LoginError> {
        let now = self.parts.clock.now();
        let access = self.parts.users.access(account.id, None, now)?.filter(may_log_in);
        let hash = access
            .as_ref()
            .and_then(|access| access.user.password_hash.clone());
        let verdict = self.parts.hasher.verify(password, hash.as_ref())?;
        let (Some(access), Some(hash)) = (access, hash) else {
            return Ok(None);
        };
        let rehash = match verdict {
            Verdict::Mismatch => return Ok(None),
            Verdict::Match => None,
            Verdict::MatchOutdated => Some((self.parts.hasher.hash(password)?, hash)),
        };
        Ok(self.sessions.begin(access.user, rehash, client)?)
    }

    /// Enters the failure where the account belongs: in its tenant's log, or the platform's.
    fn enter_failure(&self, account: &Account<'_>, client: &Client) -> Result<(), StoreError> {
        let mut event = AuditEvent::new(AuditAction::LoginFailed);
        if let Some(email) = &account.email {
            event = event.with("account", email);
        }
        if account.is_known {
            event = event.on("user", account.id);
        }
        let log = AuditLog::of(account.tenant.as_ref());
        let now = self.parts.clock.now();
        self.parts.audit.record(&log, &client.nobody(), &event, now)
    }
}

/// Whether a user may log in: active, and of an active tenant unless a superuser or without one.
pub(super) fn may_log_in(access: &Access) -> bool {
    let tenant_active = access.tenant.as_ref().is_none_or(|tenant| tenant.is_active);
    access.user.is_active && (tenant_active || access.user.is_superuser)
}

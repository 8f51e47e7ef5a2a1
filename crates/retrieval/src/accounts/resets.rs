use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tenantry_crypto::{Password, PasswordError, RejectedPassword};
use tenantry_domain::{Actor, Email, Principal, Timestamp, TokenHash, User, UserId};
use tenantry_mail::{Mail, MailError, Mailer};
use tenantry_tenant_store::StoreError;

use super::login::may_log_in;
use super::throttle::{Admitted, Counts, ThrottleError};
use super::{AccountParts, Client, TooManyAttempts};
use crate::opaque::{NoRandomness, Purpose};
use crate::resolve::{Superuser, TenantAdmin};

/// How long a link works.
const LIFETIME: Duration = Duration::from_hours(1);

/// Where the page is that sets a password.
const PAGE: &str = "/password-reset";

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResetError {
    /// Too many mails were asked for.
    #[error(transparent)]
    TooMany(#[from] TooManyAttempts),
    /// The link's secret could not be made.
    #[error(transparent)]
    Random(#[from] NoRandomness),
    /// The mail with the link was not sent.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ThrottleError> for ResetError {
    fn from(error: ThrottleError) -> Self {
        match error {
            ThrottleError::TooMany(error) => error.into(),
            ThrottleError::Store(error) => error.into(),
        }
    }
}

/// Why a password was not set with a link.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedeemError {
    /// The link is none, was used, or is too old: the same for all.
    #[error("the link does not work any more")]
    Invalid,
    /// The new password may not be used; the link still works.
    #[error(transparent)]
    Rejected(#[from] RejectedPassword),
    /// Too many links from there were none.
    #[error(transparent)]
    TooMany(#[from] TooManyAttempts),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] PasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ThrottleError> for RedeemError {
    fn from(error: ThrottleError) -> Self {
        match error {
            ThrottleError::TooMany(error) => error.into(),
            ThrottleError::Store(error) => error.into(),
        }
    }
}

/// A link with which one user's password may be set, once and for an hour.
#[derive(Debug)]
pub struct ResetLink {
    /// The address of the page that sets it; without a known address of the server only its path. The secret stands in the
    /// fragment, which browsers keep to themselves.
    pub url: SecretString,
    /// The secret alone.
    pub token: SecretString,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Sets the passwords of users who do not know theirs, by a one-time link.
pub struct Resets {
    parts: AccountParts,
    mailer: Option<Arc<dyn Mailer>>,
    public_url: Option<String>,
}

impl Resets {
    /// Resets by links to the server that browsers know by `public_url`, without a slash at its end. Without a mailer nobody is sent one.
    pub fn new(parts: AccountParts, mailer: Option<Arc<dyn Mailer>>, public_url: Option<String>) -> Self {
        Self {
            parts,
            mailer,
            public_url,
        }
    }

    /// A link for any user, in place of any earlier one; `None` when there is no user of that id.
    ///
    /// # Errors
    /// When the store fails.
    pub fn issue(&self, superuser: &Superuser, id: UserId) -> Result<Option<ResetLink>, ResetError> {
        self.link(id, superuser.actor())
    }

    /// A link for a user of the admin's tenant; `None` when there is none of that id, the user is a superuser, or may do what the admin may not.
    ///
    /// # Errors
    /// When the store fails.
    pub fn issue_in_tenant(&self, admin: &TenantAdmin, id: UserId) -> Result<Option<ResetLink>, ResetError> {
        if !self.is_within(admin, id)? {
            return Ok(None);
        }
        let link = self.link(id, admin.actor())?;
        // Once more: who was promoted before the link was kept is not handed out. Who is promoted after it loses it.
        let is_within = self.is_within(admin, id)?;
        Ok(link.filter(|_| is_within))
    }

    /// Whether a mail may be asked for; each counts, whether or not there is such an account.
    ///
    /// # Errors
    /// [`ResetError::TooMany`] when too many were asked for; else when the store fails.
    pub fn ask(&self, email: &str, client: &Client) -> Result<(), ResetError> {
        let counts = Counts::mail(email, client.origin.address);
        let _counted = self.parts.throttle.attempt(counts)?;
        Ok(())
    }

    /// Sends a link to the user with that address who can log in with a password, if there is one. How long that takes tells whether
    /// there is: do it where nobody waits for it, after [`Resets::ask`].
    ///
    /// # Errors
    /// When the mail cannot be sent or the store fails.
    pub fn deliver(&self, email: &str, client: &Client) -> Result<(), ResetError> {
        let (Some(mailer), Ok(email)) = (&self.mailer, Email::parse(email)) else {
            return Ok(());
        };
        let Some(user) = self.recipient(&email)? else {
            return Ok(());
        };
        if let Some(link) = self.link(user.id, &client.nobody())? {
            mailer.send(&mail(user.email, &link))?;
        }
        Ok(())
    }

    /// Sets the password that a link is for, which ends the link and every session of the user.
    ///
    /// # Errors
    /// [`RedeemError::Invalid`] when the link does not work (any more); when the password may not be used, too many links were none, or
    /// the hasher or the store fails.
    pub fn redeem(
        &self,
        token: &SecretString,
        password: &SecretString,
        client: &Client,
    ) -> Result<(), RedeemError> {
        let throttle = &self.parts.throttle;
        let admitted = throttle.attempt(Counts::secret(client.origin.address))?;
        let set = Purpose::Reset
            .hash(token.expose_secret())
            .ok_or(RedeemError::Invalid)
            .and_then(|secret| self.set(secret, password, client));
        settle(admitted, &set)?;
        self.parts.resolver.forget();
        Ok(throttle.pardon(set?.email.as_str())?)
    }

    fn set(&self, secret: TokenHash, password: &SecretString, client: &Client) -> Result<User, RedeemError> {
        let (store, now) = (&self.parts.sessions, self.parts.clock.now());
        let user = store.reset_user(secret, now)?.ok_or(RedeemError::Invalid)?;
        let password = Password::new(password)?;
        self.parts.policy.check(&password, &user.email)?;
        let hash = self.parts.hasher.hash(&password)?;
        let actor = client.acting_as(Principal::User(user.id));
        let set = store.redeem_reset(secret, &hash, &actor, self.parts.clock.now())?;
        set.ok_or(RedeemError::Invalid)
    }

    fn link(&self, id: UserId, actor: &Actor) -> Result<Option<ResetLink>, ResetError> {
        let secret = Purpose::Reset.generate()?;
        let now = self.parts.clock.now();
        let expires_at = now.saturating_add(LIFETIME);
        let store = &self.parts.sessions;
        let issued = store.issue_reset(id, secret.hash, expires_at, actor, now)?;
        let host = self.public_url.as_deref().unwrap_or_default();
        let url = format!("{host}{PAGE}#token={}", secret.text.expose_secret());
        Ok(issued.then(|| ResetLink {
            url: url.into(),
            token: secret.text,
            expires_at,
        }))
    }

    /// Whether the user is one of the tenant whom the admin may speak for: whoever sets a password can log in with it.
    fn is_within(&self, admin: &TenantAdmin, id: UserId) -> Result<bool, StoreError> {
        let user = self.parts.users.user(id)?;
        let tenant = admin.scope().tenant();
        Ok(user.is_some_and(|user| {
            let may = user.role.permissions(tenant.ingesters);
            !user.is_superuser
                && user.tenant.as_ref() == Some(&tenant.id)
                && may.are_within(admin.permissions())
        }))
    }

    /// Whoever may be sent a link without anybody else having a say: not those who log in elsewhere.
    fn recipient(&self, email: &Email) -> Result<Option<User>, StoreError> {
        let Some(user) = self.parts.users.user_by_email(email)? else {
            return Ok(None);
        };
        let access = self.parts.users.access(user.id, None, self.parts.clock.now())?;
        let access = access.filter(|access| may_log_in(access) && access.user.password_hash.is_some());
        Ok(access.map(|access| access.user))
    }
}

/// Only a link that is none counts against whoever tried it.
fn settle(admitted: Admitted<'_>, set: &Result<User, RedeemError>) -> Result<(), StoreError> {
    match set {
        Ok(_) => admitted.succeeded(),
        Err(RedeemError::Invalid) => Ok(()),
        Err(_) => {
            admitted.undo();
            Ok(())
        }
    }
}

fn mail(to: Email, link: &ResetLink) -> Mail {
    let text = format!(
        "Somebody asked for a new password for your account at Tenantry.\n\n\
         Set it here within an hour:\n\n{url}\n\n\
         The link works once. Was it not you who asked? Then do nothing: your password stays as it is.\n",
        url = link.url.expose_secret(),
    );
    Mail {
        to,
        subject: "Set a new password".to_owned(),
        text: text.into(),
    }
}

impl fmt::Debug for Resets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resets")
            .field("sends_mail", &self.mailer.is_some())
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

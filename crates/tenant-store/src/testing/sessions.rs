use tenantry_domain::{Actor, PasswordHash, Session, SessionId, Timestamp, TokenHash, User, UserId};

use super::FailingStore;
use crate::{Attempt, NewSession, Refreshed, SessionStore, StoreError, ThrottlePolicy, ThrottleStore};

impl<S: SessionStore> SessionStore for FailingStore<S> {
    fn begin_session(&self, new: &NewSession, actor: &Actor) -> Result<bool, StoreError> {
        self.call("begin_session", |inner| inner.begin_session(new, actor))
    }

    fn refresh_session(
        &self,
        presented: TokenHash,
        next: TokenHash,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Refreshed, StoreError> {
        self.call("refresh_session", |inner| {
            inner.refresh_session(presented, next, actor, now)
        })
    }

    fn sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        self.call("sessions", |inner| inner.sessions(user, now))
    }

    fn end_session(
        &self,
        user: UserId,
        id: SessionId,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.call("end_session", |inner| inner.end_session(user, id, actor, now))
    }

    fn issue_reset(
        &self,
        user: UserId,
        secret: TokenHash,
        expires_at: Timestamp,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.call("issue_reset", |inner| {
            inner.issue_reset(user, secret, expires_at, actor, now)
        })
    }

    fn reset_user(&self, secret: TokenHash, now: Timestamp) -> Result<Option<User>, StoreError> {
        self.call("reset_user", |inner| inner.reset_user(secret, now))
    }

    fn redeem_reset(
        &self,
        secret: TokenHash,
        password: &PasswordHash,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        self.call("redeem_reset", |inner| {
            inner.redeem_reset(secret, password, actor, now)
        })
    }
}

impl<S: ThrottleStore> ThrottleStore for FailingStore<S> {
    fn attempt(&self, keys: &[(TokenHash, ThrottlePolicy)], now: Timestamp) -> Result<Attempt, StoreError> {
        self.call("attempt", |inner| inner.attempt(keys, now))
    }

    fn succeeded(&self, keys: &[TokenHash]) -> Result<(), StoreError> {
        self.call("succeeded", |inner| inner.succeeded(keys))
    }

    fn undo(&self, keys: &[TokenHash]) -> Result<(), StoreError> {
        self.call("undo", |inner| inner.undo(keys))
    }

    fn forget_attempts(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.call("forget_attempts", |inner| inner.forget_attempts(before))
    }
}

//! What becomes of a refresh token that is presented, and how what is done to sessions is entered.

use tenantry_domain::{
    Actor, AuditAction, AuditEvent, Principal, Session, SessionId, Tenant, Timestamp, User,
};

use super::audit::Events;
use super::users::may_log_in;
use crate::AuditLog;

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptSession {
    pub(crate) session: Session,
    /// The user's token version when it began: of another one it is over.
    pub(crate) token_version: u32,
}

impl KeptSession {
    /// Whether it is one that `user` may go on with.
    pub(crate) fn is_live(&self, user: &User, now: Timestamp) -> bool {
        self.session.user == user.id
            && self.token_version == user.token_version
            && self.session.expires_at > now
    }
}

/// What to do about a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Put the next one in its place.
    Rotate,
    /// End its session: it was used before.
    End,
    /// Nothing.
    Refuse,
}

/// What to do about a refresh token of `session`. One that was used ends the session whatever became of the user meanwhile.
pub(crate) fn verdict(
    session: &KeptSession,
    is_used: bool,
    user: &User,
    tenant: Option<&Tenant>,
    now: Timestamp,
) -> Verdict {
    if !session.is_live(user, now) {
        Verdict::Refuse
    } else if is_used {
        Verdict::End
    } else if may_log_in(user, tenant) {
        Verdict::Rotate
    } else {
        Verdict::Refuse
    }
}

/// The user logged in, which ended what there was no room for.
pub(crate) fn begun(user: &User, session: &Session, crowded_out: &[SessionId]) -> Events {
    let ends = crowded_out
        .iter()
        .map(|id| on_session(AuditAction::SessionEnded, user, *id).with("reason", "too many sessions"));
    let begins = AuditEvent::new(AuditAction::LoggedIn)
        .on("user", user.id)
        .with("session", session.id)
        .with("method", session.method);
    in_log_of(user, ends.chain([begins]))
}

/// A session got its next tokens, from a request that proved with the one before whose it is: it is that user's deed.
pub(crate) fn refreshed(user: &User, id: SessionId, actor: &Actor) -> (Events, Actor) {
    let actor = Actor {
        principal: Principal::User(user.id),
        origin: actor.origin.clone(),
    };
    let event = on_session(AuditAction::SessionRefreshed, user, id);
    (in_log_of(user, [event]), actor)
}

/// A refresh token was used twice, which ended its session.
pub(crate) fn reused(user: &User, id: SessionId) -> Events {
    in_log_of(user, [on_session(AuditAction::RefreshTokenReused, user, id)])
}

/// A session was ended.
pub(crate) fn ended(user: &User, id: SessionId) -> Events {
    in_log_of(user, [on_session(AuditAction::SessionEnded, user, id)])
}

/// A link to set the user's password was made.
pub(crate) fn reset_issued(user: &User, expires_at: Timestamp) -> Events {
    let event = AuditEvent::new(AuditAction::PasswordResetIssued).on("user", user.id);
    in_log_of(user, [event.with("expires_at", expires_at)])
}

/// The user's password was set with a link.
pub(crate) fn reset(user: &User) -> Events {
    in_log_of(
        user,
        [AuditEvent::new(AuditAction::PasswordReset).on("user", user.id)],
    )
}

fn on_session(action: AuditAction, user: &User, id: SessionId) -> AuditEvent {
    AuditEvent::new(action).on("session", id).with("user", user.id)
}

fn in_log_of(user: &User, events: impl IntoIterator<Item = AuditEvent>) -> Events {
    let log = AuditLog::of(user.tenant.as_ref());
    events.into_iter().map(|event| (log.clone(), event)).collect()
}

//! What becomes of a refresh token that is presented.

use tenantry_domain::{Session, Tenant, Timestamp, User};

use super::users::may_log_in;

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

use crate::{SessionId, TenantId, UserId};

/// What a verified access token says of its bearer; roles are not in it, they are read at each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessClaims {
    /// The user, claim `sub`.
    pub user: UserId,
    /// The user's tenant when the token was issued, claim `tenant_id`.
    pub tenant: Option<TenantId>,
    /// The user's token version when the token was issued, claim `ver`.
    pub token_version: u32,
    /// The session that the token is of, claim `sid`: it ends with it. A token without one ends with its lifetime or the user's
    /// token version.
    pub session: Option<SessionId>,
}

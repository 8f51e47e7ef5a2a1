use crate::names::names;

/// Text that is no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a role: `member` or `admin`")]
pub struct ParseRoleError;

names! {
    /// What a user may do in their own tenant.
    #[derive(Default)]
    Role, ParseRoleError:
    /// Uses the tenant's knowledge and keeps its documents.
    #[default]
    Member = "member",
    /// Also changes the tenant's settings and sees its usage.
    Admin = "admin",
}

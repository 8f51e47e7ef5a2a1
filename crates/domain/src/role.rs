use std::fmt;
use std::str::FromStr;

use crate::names::names;

/// Text that is no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a role: `reader`, `member` or `admin`")]
pub struct ParseRoleError;

names! {
    /// What a user is in their own tenant; a later one may do all that an earlier one may.
    #[derive(Default)]
    Role, ParseRoleError:
    /// Asks questions.
    Reader = "reader",
    /// Also searches, and keeps the tenant's documents where the tenant lets members do so.
    #[default]
    Member = "member",
    /// Also changes the tenant's settings, users and API keys, and sees its usage and audit log.
    Admin = "admin",
}

/// Text that is no permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a permission: `chat`, `search`, `ingest` or `admin`")]
pub struct ParsePermissionError;

names! {
    /// What somebody may do in one tenant. The scopes of an API key are these.
    Permission, ParsePermissionError:
    /// Ask questions, and keep conversations of one's own.
    Chat = "chat",
    /// Search and read the tenant's documents.
    Search = "search",
    /// Hand in and remove documents, and see the jobs on them.
    Ingest = "ingest",
    /// Manage the tenant: its settings, users, API keys, identity providers, usage and audit log.
    Admin = "admin",
}

/// Text that does not say who may ingest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected who may ingest: `members` or `admins`")]
pub struct ParseIngestersError;

names! {
    /// Which users of a tenant may hand in and remove its documents.
    #[derive(Default)]
    Ingesters, ParseIngestersError:
    /// Members and admins.
    #[default]
    Members = "members",
    /// Admins alone.
    Admins = "admins",
}

impl Role {
    /// What a user of this role may do in a tenant whose documents `ingesters` keep.
    pub fn permissions(self, ingesters: Ingesters) -> Permissions {
        let chat = Permissions::of(&[Permission::Chat]);
        match (self, ingesters) {
            (Self::Reader, _) => chat,
            (Self::Member, Ingesters::Admins) => chat.with(Permission::Search),
            (Self::Member, Ingesters::Members) => chat.with(Permission::Search).with(Permission::Ingest),
            (Self::Admin, _) => Permissions::ALL,
        }
    }
}

/// A set of permissions.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Permissions(u8);

impl Permissions {
    /// Every one of them.
    pub const ALL: Self = Self(0b1111);

    /// Those that are listed.
    pub fn of(permissions: &[Permission]) -> Self {
        permissions
            .iter()
            .fold(Self::default(), |all, one| all.with(*one))
    }

    /// These and one more.
    #[must_use]
    pub fn with(self, permission: Permission) -> Self {
        Self(self.0 | bit(permission))
    }

    /// Whether one is among them.
    pub fn has(self, permission: Permission) -> bool {
        self.0 & bit(permission) != 0
    }

    /// Whether every one of these is among `others`.
    pub fn are_within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    /// Those that are among both.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them, in the order of [`Permission::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |one| self.has(*one))
    }
}

fn bit(permission: Permission) -> u8 {
    match permission {
        Permission::Chat => 1,
        Permission::Search => 2,
        Permission::Ingest => 4,
        Permission::Admin => 8,
    }
}

impl fmt::Display for Permissions {
    /// The names, separated by spaces, as OAuth 2 writes scopes (RFC 6749, section 3.3).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, one) in self.iter().enumerate() {
            if place > 0 {
                f.write_str(" ")?;
            }
            f.write_str(one.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permissions({self})")
    }
}

impl FromStr for Permissions {
    type Err = ParsePermissionError;

    /// Reads what `Display` writes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = text.split(' ').filter(|name| !name.is_empty());
        names
            .map(str::parse)
            .try_fold(Self::default(), |all, one| Ok(all.with(one?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_role_may_do_all_that_a_lower_one_may() {
        for ingesters in Ingesters::ALL {
            for pair in Role::ALL.windows(2) {
                let [lower, higher] = [pair[0], pair[1]].map(|role| role.permissions(*ingesters));
                assert!(pair[0] < pair[1] && lower.are_within(higher) && lower != higher);
            }
        }
    }

    #[test]
    fn members_ingest_where_the_tenant_lets_them() {
        let may = |role: Role, ingesters| role.permissions(ingesters).has(Permission::Ingest);
        assert!(may(Role::Member, Ingesters::Members) && !may(Role::Member, Ingesters::Admins));
        assert!(may(Role::Admin, Ingesters::Admins) && !may(Role::Reader, Ingesters::Members));
    }

    #[test]
    fn permissions_are_written_as_scopes_and_read_back() {
        let some = Permissions::of(&[Permission::Ingest, Permission::Chat]);
        assert_eq!(some.to_string(), "chat ingest");
        assert_eq!("ingest chat".parse(), Ok(some));
        assert_eq!("".parse(), Ok(Permissions::default()));
        assert_eq!("root".parse::<Permissions>(), Err(ParsePermissionError));
        assert_eq!(Permissions::ALL, Permissions::of(Permission::ALL));
    }
}

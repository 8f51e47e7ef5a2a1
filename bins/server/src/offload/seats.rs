use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenantry_domain::{TenantId, UserId};

/// How many answers may be under way at once, in this process: servers that share a database count each for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamCaps {
    /// For one user of the tenant.
    pub per_user: usize,
    /// For the tenant.
    pub per_tenant: usize,
}

impl Default for StreamCaps {
    /// 16 for a user, 256 for a tenant.
    fn default() -> Self {
        Self {
            per_user: 16,
            per_tenant: 256,
        }
    }
}

/// As many answers are under way as may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Full {
    /// The user has all that are theirs.
    #[error("the user has as many answers under way as they may have")]
    User,
    /// The tenant has.
    #[error("the tenant has as many answers under way as it may have")]
    Tenant,
}

/// Counts the answers under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seats(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    tenants: HashMap<TenantId, usize>,
    users: HashMap<UserId, usize>,
}

/// One answer under way, which is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Seats,
    tenant: TenantId,
    user: UserId,
}

impl Seats {
    /// A place for one more answer to that user of that tenant.
    ///
    /// # Errors
    /// When either has as many already as `caps` allow.
    pub(crate) fn take(&self, tenant: &TenantId, user: UserId, caps: StreamCaps) -> Result<Seat, Full> {
        let mut taken = self.lock();
        if taken.users.get(&user).is_some_and(|n| *n >= caps.per_user) || caps.per_user == 0 {
            return Err(Full::User);
        }
        if taken.tenants.get(tenant).is_some_and(|n| *n >= caps.per_tenant) || caps.per_tenant == 0 {
            return Err(Full::Tenant);
        }
        *taken.users.entry(user).or_default() += 1;
        *taken.tenants.entry(tenant.clone()).or_default() += 1;
        Ok(Seat {
            seats: self.clone(),
            tenant: tenant.clone(),
            user,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many tenants and users have an answer under way.
    #[cfg(test)]
    pub(crate) fn counted(&self) -> (usize, usize) {
        let taken = self.lock();
        (taken.tenants.len(), taken.users.len())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        give_back(&mut taken.tenants, self.tenant.clone());
        give_back(&mut taken.users, self.user);
    }
}

/// Counts one less of `key`, and forgets it with the last.
fn give_back<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: K) {
    if let Entry::Occupied(mut count) = counts.entry(key) {
        *count.get_mut() = count.get().saturating_sub(1);
        if *count.get() == 0 {
            count.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_and_a_tenant_have_so_many_answers_at_once_and_no_more() {
        let seats = Seats::default();
        let (acme, globex) = ("acme".parse().unwrap(), "globex".parse().unwrap());
        let [ada, bob, eve] = [1, 2, 3].map(|n| UserId::from_uuid(uuid::Uuid::from_u128(n)));
        let caps = StreamCaps {
            per_user: 1,
            per_tenant: 2,
        };
        let first = seats.take(&acme, ada, caps).unwrap();
        assert_eq!(seats.take(&acme, ada, caps).unwrap_err(), Full::User);
        let _second = seats.take(&acme, bob, caps).unwrap();
        assert_eq!(seats.take(&acme, eve, caps).unwrap_err(), Full::Tenant);
        let other = seats.take(&globex, eve, caps).unwrap();
        drop(first);
        let _third = seats.take(&acme, ada, caps).unwrap();
        assert_eq!(seats.counted(), (2, 3));
        drop(other);
        assert_eq!(seats.counted(), (1, 2), "who has none is forgotten");
    }

    #[test]
    fn where_none_is_allowed_nobody_has_one() {
        let caps = |per_user, per_tenant| StreamCaps { per_user, per_tenant };
        let user = UserId::from_uuid(uuid::Uuid::nil());
        let take = |caps| {
            Seats::default()
                .take(&"acme".parse().unwrap(), user, caps)
                .unwrap_err()
        };
        assert_eq!(take(caps(0, 1)), Full::User);
        assert_eq!(take(caps(1, 0)), Full::Tenant);
    }
}

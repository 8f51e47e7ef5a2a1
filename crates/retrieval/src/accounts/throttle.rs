//! Who guesses has to wait, on all servers together, and nobody is locked out for good.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tenantry_domain::{Clock, Timestamp, TokenHash, UserId};
use tenantry_tenant_store::{Attempt, StoreError, ThrottlePolicy, ThrottleStore};

/// How long failures are remembered.
const MEMORY: Duration = Duration::from_hours(24);
/// How often what is older is removed.
const SWEEP: Duration = Duration::from_hours(1);

/// How failures for one account count, and those of somebody who is logged in to it.
const ACCOUNT: ThrottlePolicy = policy(10, 1);
/// How the failures from one address count, where many may sit.
const ADDRESS: ThrottlePolicy = policy(30, 1);
/// How asking for mails counts, for the one who would get them.
const MAILS: ThrottlePolicy = policy(3, 60);

const fn policy(free: u32, first_wait: u64) -> ThrottlePolicy {
    ThrottlePolicy {
        free,
        first_wait: Duration::from_secs(first_wait),
        longest_wait: Duration::from_mins(15),
        forget_after: MEMORY,
    }
}

/// Too many attempts have failed: the next one may be made later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts have failed")]
pub struct TooManyAttempts {
    /// How long to wait.
    pub wait: Duration,
}

/// Why an attempt was not let through.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ThrottleError {
    #[error(transparent)]
    TooMany(#[from] TooManyAttempts),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Counts failed attempts, and lets those wait who fail again and again.
pub struct Throttle {
    store: Arc<dyn ThrottleStore>,
    clock: Arc<dyn Clock>,
    swept: Mutex<Option<Timestamp>>,
}

/// What an attempt counts for until it turns out well.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Of the one who attempts: forgotten when an attempt turns out well.
    own: Vec<(TokenHash, ThrottlePolicy)>,
    /// Of all at one address: such an attempt is taken back, the others stay.
    shared: Vec<(TokenHash, ThrottlePolicy)>,
}

impl Counts {
    /// A log-in to the account of that address, whether there is one or not.
    pub(super) fn log_in(account: &str, address: Option<IpAddr>) -> Self {
        Self {
            own: vec![(account_key(account), ACCOUNT)],
            shared: shared("address", address),
        }
    }

    /// A log-in to an account from an address where it is logged in already. It counts for nothing else, so that strangers can fail as
    /// often as they like without the owner having to wait.
    pub(super) fn known(account: &str, address: IpAddr) -> Self {
        let pair = format!("{}:{}", network(address), account.to_lowercase());
        Self {
            own: vec![(key("known", &pair), ACCOUNT)],
            shared: Vec::new(),
        }
    }

    /// The password of somebody who is logged in.
    pub(super) fn own_password(user: UserId) -> Self {
        Self {
            own: vec![(key("own", &user.to_string()), ACCOUNT)],
            shared: Vec::new(),
        }
    }

    /// A one-time secret.
    pub(super) fn secret(address: Option<IpAddr>) -> Self {
        Self {
            own: Vec::new(),
            shared: shared("address", address),
        }
    }

    /// A mail to that address. Well or not, each counts.
    pub(super) fn mail(account: &str, address: Option<IpAddr>) -> Self {
        Self {
            own: vec![(key("mail", &account.to_lowercase()), MAILS)],
            shared: shared("mails", address),
        }
    }

    /// A new account. Well or not, each counts.
    pub(super) fn registration(address: Option<IpAddr>) -> Self {
        Self {
            own: Vec::new(),
            shared: shared("registration", address),
        }
    }
}

/// What log-ins to the account of that address are counted by.
pub(super) fn account_key(account: &str) -> TokenHash {
    key("account", &account.to_lowercase())
}

fn shared(purpose: &str, address: Option<IpAddr>) -> Vec<(TokenHash, ThrottlePolicy)> {
    let counted = address.map(|address| (key(purpose, &network(address).to_string()), ADDRESS));
    counted.into_iter().collect()
}

fn key(purpose: &str, of: &str) -> TokenHash {
    TokenHash::from_bytes(Sha256::digest(format!("{purpose}:{of}")).into())
}

/// The address, or of IPv6 the network that one client has to itself (RFC 6177, section 2).
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// An attempt that was let through, and counts as failed until it is said to be otherwise.
#[must_use]
pub(super) struct Admitted<'a> {
    store: &'a dyn ThrottleStore,
    own: Vec<TokenHash>,
    shared: Vec<TokenHash>,
}

impl Admitted<'_> {
    /// It turned out well.
    pub(super) fn succeeded(self) -> Result<(), StoreError> {
        if !self.own.is_empty() {
            self.store.succeeded(&self.own)?;
        }
        if !self.shared.is_empty() {
            self.store.undo(&self.shared)?;
        }
        Ok(())
    }

    /// It proved nothing, because we failed. What cannot be taken back stays counted.
    pub(super) fn undo(self) {
        let keys = [self.own, self.shared].concat();
        let _ = self.store.undo(&keys);
    }
}

impl Throttle {
    /// A throttle that counts in `store`.
    pub fn new(store: Arc<dyn ThrottleStore>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            swept: Mutex::default(),
        }
    }

    pub(super) fn attempt(&self, counts: Counts) -> Result<Admitted<'_>, ThrottleError> {
        let now = self.clock.now();
        self.sweep(now)?;
        let Counts { own, shared } = counts;
        let hashes = |keys: &[(TokenHash, ThrottlePolicy)]| keys.iter().map(|(key, _)| *key).collect();
        let admitted = Admitted {
            store: self.store.as_ref(),
            own: hashes(&own),
            shared: hashes(&shared),
        };
        match self.store.attempt(&[own, shared].concat(), now)? {
            Attempt::Allowed => Ok(admitted),
            Attempt::Wait { until } => {
                let wait = until.since(now).unwrap_or_default();
                Err(TooManyAttempts { wait }.into())
            }
        }
    }

    /// Forgets the failures of an account whose owner has shown who they are in another way.
    pub(super) fn pardon(&self, account: &str) -> Result<(), StoreError> {
        self.store.succeeded(&[account_key(account)])
    }

    /// Removes once in a while what is forgotten anyway.
    fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        if swept.is_some_and(|at| now < at.saturating_add(SWEEP)) {
            return Ok(());
        }
        *swept = Some(now);
        drop(swept);
        self.store.forget_attempts(now.saturating_sub(MEMORY)).map(|_| ())
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_a_network_of_ipv6_has_one_address() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:3::1"), of("2001:db8:1:2::1"));
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
    }

    #[test]
    fn an_account_has_one_key_whatever_its_spelling_and_each_purpose_its_own() {
        assert_eq!(account_key("Ada@Example.org"), account_key("ada@example.org"));
        let address = "192.0.2.7".parse().unwrap();
        let keys = [
            Counts::log_in("ada@example.org", Some(address)),
            Counts::known("ada@example.org", address),
            Counts::mail("ada@example.org", Some(address)),
            Counts::registration(Some(address)),
        ];
        let mut seen = Vec::new();
        for counts in keys {
            seen.extend(counts.own.into_iter().chain(counts.shared).map(|(key, _)| key));
        }
        let all = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((all, seen.len()), (6, 6));
    }
}

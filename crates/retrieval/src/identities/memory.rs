use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tenantry_domain::{IdentityProvider, TenantId, Timestamp, TokenHash};

use crate::AdmittedIdentity;

/// How long the providers of an issuer may be used again.
const FRESH: Duration = Duration::from_secs(1);
/// How long a token may be used again.
const KEPT: Duration = Duration::from_mins(1);
/// How many issuers are remembered at most.
const MAX_ISSUERS: usize = 1_000;
/// How many tokens are remembered at most.
const MAX_TOKENS: usize = 10_000;

/// The providers of one issuer. As long as they do not change they are one and the same, so that a token knows by which it was judged.
pub(super) type Candidates = Arc<Vec<(TenantId, IdentityProvider)>>;

/// What was read and admitted of late.
#[derive(Default)]
pub(super) struct Remembered(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    issuers: HashMap<String, (Candidates, Timestamp)>,
    tokens: HashMap<TokenHash, Token>,
    /// Raised by every `forget`, so that a read begun before it is not remembered after it.
    generation: u64,
}

struct Token {
    judged_by: Candidates,
    admitted: AdmittedIdentity,
    at: Timestamp,
}

/// Whether that was less than `span` ago; not when the clock was set back since.
fn is_within(at: Timestamp, now: Timestamp, span: Duration) -> bool {
    now.since(at).is_some_and(|age| age < span)
}

impl Token {
    fn is_good(&self, now: Timestamp) -> bool {
        is_within(self.at, now, KEPT) && now < self.admitted.expires_at
    }
}

impl Remembered {
    pub(super) fn candidates(&self, issuer: &str, now: Timestamp) -> Option<Candidates> {
        let memory = self.lock();
        let (candidates, at) = memory.issuers.get(issuer)?;
        is_within(*at, now, FRESH).then(|| candidates.clone())
    }

    pub(super) fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// Keeps what was read after `generation`, as what is there already when nothing has changed.
    pub(super) fn keep_candidates(
        &self,
        issuer: &str,
        read: Vec<(TenantId, IdentityProvider)>,
        now: Timestamp,
        generation: u64,
    ) -> Candidates {
        let mut memory = self.lock();
        if memory.generation != generation || read.is_empty() {
            memory.issuers.remove(issuer);
            return Arc::new(read);
        }
        if let Some((known, at)) = memory.issuers.get_mut(issuer)
            && **known == read
        {
            *at = now;
            return known.clone();
        }
        if memory.issuers.len() >= MAX_ISSUERS {
            memory.issuers.clear();
        }
        let read = Arc::new(read);
        memory.issuers.insert(issuer.to_owned(), (read.clone(), now));
        read
    }

    /// Whom the token named, when it was judged by these very providers a moment ago.
    pub(super) fn admitted(
        &self,
        token: &TokenHash,
        candidates: &Candidates,
        now: Timestamp,
    ) -> Option<AdmittedIdentity> {
        let memory = self.lock();
        let token = memory.tokens.get(token)?;
        let still = Arc::ptr_eq(&token.judged_by, candidates) && token.is_good(now);
        still.then(|| token.admitted.clone())
    }

    pub(super) fn keep(
        &self,
        token: TokenHash,
        candidates: &Candidates,
        admitted: &AdmittedIdentity,
        now: Timestamp,
    ) {
        let mut memory = self.lock();
        if memory.tokens.len() >= MAX_TOKENS {
            memory.tokens.retain(|_, token| token.is_good(now));
        }
        if memory.tokens.len() >= MAX_TOKENS {
            memory.tokens.clear();
        }
        let token_is = Token {
            judged_by: candidates.clone(),
            admitted: admitted.clone(),
            at: now,
        };
        memory.tokens.insert(token, token_is);
    }

    pub(super) fn forget(&self) {
        let mut memory = self.lock();
        memory.issuers.clear();
        memory.tokens.clear();
        memory.generation += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tenantry_domain::UserId;

    use super::*;

    #[test]
    fn a_bounded_number_of_tokens_is_remembered() {
        let remembered = Remembered::default();
        let at = |seconds: i64| Timestamp::from_unix_micros(seconds * 1_000_000).unwrap();
        let candidates = Candidates::default();
        let admitted = AdmittedIdentity {
            user: UserId::generate(at(0)),
            tenant: TenantId::parse("acme").unwrap(),
            issued_at: at(0),
            expires_at: at(600),
        };
        let hash = |number: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            TokenHash::from_bytes(bytes)
        };
        for number in 0..MAX_TOKENS {
            remembered.keep(hash(number), &candidates, &admitted, at(0));
        }
        assert_eq!(remembered.lock().tokens.len(), MAX_TOKENS);
        remembered.keep(hash(MAX_TOKENS), &candidates, &admitted, at(60));
        assert_eq!(
            remembered.lock().tokens.len(),
            1,
            "those of a minute ago are dropped"
        );
        assert!(remembered.admitted(&hash(0), &candidates, at(60)).is_none());
        assert!(
            remembered
                .admitted(&hash(MAX_TOKENS), &candidates, at(60))
                .is_some()
        );
        assert!(
            remembered
                .admitted(&hash(MAX_TOKENS), &Candidates::default(), at(60))
                .is_none()
        );
    }
}

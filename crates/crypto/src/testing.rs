//! Failures on demand, for the tests of code that uses this crate.

use std::sync::atomic::{AtomicBool, Ordering};

use secrecy::SecretString;
use tenantry_domain::{PasswordHash, Sealed};

use crate::{Field, KeyId, OpenError, Password, PasswordError, PasswordHasher, SealError, Sealer, Verdict};

/// Works as the sealer or password hasher inside until it is broken, then fails every call until it is mended.
#[derive(Debug)]
pub struct Breakable<T> {
    inner: T,
    broken: AtomicBool,
}

impl<T> Breakable<T> {
    /// `inner`, unbroken.
    pub const fn new(inner: T) -> Self {
        Self {
            inner,
            broken: AtomicBool::new(false),
        }
    }

    /// Lets every call fail from now on.
    pub fn break_down(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }

    /// Lets calls through again.
    pub fn mend(&self) {
        self.broken.store(false, Ordering::SeqCst);
    }

    fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
    }
}

impl<T: Sealer> Sealer for Breakable<T> {
    fn seal(&self, field: Field<'_>, secret: &SecretString) -> Result<Sealed, SealError> {
        if self.is_broken() {
            return Err(SealError::Unavailable("broken on purpose".into()));
        }
        self.inner.seal(field, secret)
    }

    fn open(&self, field: Field<'_>, sealed: &Sealed) -> Result<SecretString, OpenError> {
        if self.is_broken() {
            Err(OpenError::Rejected)
        } else {
            self.inner.open(field, sealed)
        }
    }

    fn key_id(&self, sealed: &Sealed) -> Result<KeyId, OpenError> {
        if self.is_broken() {
            Err(OpenError::Malformed)
        } else {
            self.inner.key_id(sealed)
        }
    }

    fn active_key(&self) -> KeyId {
        self.inner.active_key()
    }

    fn key_ids(&self) -> Vec<KeyId> {
        self.inner.key_ids()
    }
}

impl<T: PasswordHasher> PasswordHasher for Breakable<T> {
    fn hash(&self, password: &Password) -> Result<PasswordHash, PasswordError> {
        if self.is_broken() {
            Err(broken_hasher())
        } else {
            self.inner.hash(password)
        }
    }

    fn verify(&self, password: &Password, hash: Option<&PasswordHash>) -> Result<Verdict, PasswordError> {
        if self.is_broken() {
            Err(broken_hasher())
        } else {
            self.inner.verify(password, hash)
        }
    }
}

fn broken_hasher() -> PasswordError {
    PasswordError::Unavailable("broken on purpose".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryPasswordHasher, MemorySealer, conformance};

    #[test]
    fn an_unbroken_part_works_as_the_one_inside() {
        conformance::sealer(&Breakable::new(MemorySealer::default()));
        conformance::password_hasher(&Breakable::new(MemoryPasswordHasher::new()));
    }

    #[test]
    fn a_broken_part_fails_until_it_is_mended() {
        let tenant = tenantry_domain::TenantId::parse("acme").unwrap();
        let field = Field::pinecone_api_key(&tenant);
        let sealer = Breakable::new(MemorySealer::default());
        let value = sealer.seal(field, &"key".into()).unwrap();
        sealer.break_down();
        assert!(sealer.seal(field, &"key".into()).is_err());
        assert!(sealer.open(field, &value).is_err());
        assert!(sealer.key_id(&value).is_err());
        sealer.mend();
        assert!(sealer.open(field, &value).is_ok());

        let password = Password::new(&"correct horse".into()).unwrap();
        let hasher = Breakable::new(MemoryPasswordHasher::new());
        hasher.break_down();
        assert!(hasher.hash(&password).is_err());
        assert!(hasher.verify(&password, None).is_err());
    }
}

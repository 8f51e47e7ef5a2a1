use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Seek};
use std::sync::Arc;

use tenantry_domain::{Clock, Email, Tenant, TenantId};
use tenantry_tenant_store::{ArchivedRecord, StoreError, TenantArchiveStore, TenantEraseStore};

use super::batches::Batches;
use super::taking::{Taken, read};
use super::{ArchiveFault, ArchiveLimits};
use crate::{CollectionError, Collections, IndexError, Reconciler, Resolver, Superuser};

/// How many rows of an import that is given up go in one step.
const ROWS: u32 = 1_000;
/// After how many lines it is said how far checking has come.
const STRIDE: u64 = 1_000;

/// Why no tenant was made of an archive. The same call may be made again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The archive cannot be used.
    #[error(transparent)]
    Archive(#[from] ArchiveFault),
    /// There is a tenant of that id, or was one.
    #[error("the id is taken, or belonged to a tenant that was erased")]
    IdTaken,
    /// The archive has an id twice, or names what it does not have.
    #[error("the archive contradicts itself")]
    Contradiction,
    /// The index could not be made of the text.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The index is not whole.
    #[error("{0} versions of documents could not be indexed")]
    Incomplete(usize),
    /// The vectors of an earlier try could not be removed.
    #[error(transparent)]
    Collection(#[from] CollectionError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was made of an archive, and what could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The tenant.
    pub tenant: TenantId,
    /// Whether it may be used, as when the archive was written.
    pub is_active: bool,
    /// How many lines of each kind the archive has.
    pub counts: BTreeMap<String, u64>,
    /// The users who were left out because somebody has their id or address; their conversations are there, under the same owner.
    pub users_left_out: Vec<Email>,
    /// Whether the audit log was left out, which under another id would not be the one that was written.
    pub audit_left_out: bool,
    /// How many chunks' documents were indexed.
    pub indexed: u64,
}

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportProgress {
    /// So many lines were found to be sound.
    Checked(u64),
    /// So many were written.
    Written(u64),
    /// So many of so many documents were indexed.
    Indexed(usize, usize),
}

/// What an import works with.
pub struct ImportParts {
    /// Makes tenants of records.
    pub store: Arc<dyn TenantArchiveStore>,
    /// Removes what an interrupted import left.
    pub erase: Arc<dyn TenantEraseStore>,
    /// Finds where the tenant's chunks go.
    pub collections: Arc<Collections>,
    /// Makes the index of the text.
    pub reconciler: Arc<Reconciler>,
    /// Opens the tenant that is not active yet.
    pub resolver: Arc<Resolver>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Makes a tenant of an archive.
///
/// The archive is read twice: once to see that it is sound to its last line, before anything is written, and once to write it. Until all
/// is there the tenant is not active. Nobody comes out of an archive as a superuser, with a password or with a key that works, and
/// no tenant but the new one is touched.
pub struct Importer {
    parts: ImportParts,
    limits: ArchiveLimits,
}

/// A file that can be read again.
pub trait ArchiveSource: Read + Seek {}

impl<S: Read + Seek> ArchiveSource for S {}

impl Importer {
    /// An importer of archives within `limits`.
    pub fn new(parts: ImportParts, limits: ArchiveLimits) -> Self {
        Self { parts, limits }
    }

    /// Makes a tenant of the archive `from`, under its own id or as `id`. What an import of the same id that was interrupted has left is
    /// removed first.
    ///
    /// # Errors
    /// When the archive is not sound, the id is taken, the text cannot be indexed, or a store fails. Then nothing is left, unless
    /// removing it fails as well; then the tenant is inactive until the next call.
    pub fn import(
        &self,
        superuser: &Superuser,
        from: &mut dyn ArchiveSource,
        id: Option<&TenantId>,
        on_progress: &mut dyn FnMut(ImportProgress),
    ) -> Result<Imported, ImportError> {
        let checked = self.check(from, id, on_progress)?;
        let tenant = &checked.tenant;
        self.begin(superuser, tenant)?;
        match self.fill(superuser, from, &checked, on_progress) {
            Ok((users_left_out, indexed)) => Ok(Imported {
                tenant: tenant.id.clone(),
                is_active: checked.was_active,
                counts: checked.counts,
                users_left_out,
                audit_left_out: checked.is_renamed,
                indexed,
            }),
            Err(error) => {
                // What went wrong first is what is told; what cannot be removed now is removed by the next call.
                let _ = self.abandon(superuser, &tenant.id);
                Err(error)
            }
        }
    }

    /// Reads the archive to its end.
    fn check(
        &self,
        from: &mut dyn ArchiveSource,
        id: Option<&TenantId>,
        on_progress: &mut dyn FnMut(ImportProgress),
    ) -> Result<Checked, ImportError> {
        let mut counts = BTreeMap::<String, u64>::new();
        let mut lines = 0_u64;
        let mut found = None;
        read(from, self.limits, &mut |kind, read| {
            *counts.entry(kind.to_owned()).or_default() += 1;
            lines += 1;
            if lines.is_multiple_of(STRIDE) {
                on_progress(ImportProgress::Checked(lines));
            }
            if let Taken::Tenant(line) = read {
                let (own, was_active) = (line.id.clone(), line.is_active);
                let tenant = line.tenant(id.unwrap_or(&own).clone());
                let tenant = tenant.map_err(|error| error.to_string())?;
                found = Some((own != tenant.id, tenant, was_active));
            }
            Ok(())
        })?;
        let (is_renamed, tenant, was_active) = found.ok_or(ArchiveFault::NotAnArchive)?;
        Ok(Checked {
            tenant,
            was_active,
            is_renamed,
            counts,
        })
    }

    fn begin(&self, superuser: &Superuser, tenant: &Tenant) -> Result<(), ImportError> {
        let try_once = || self.parts.store.begin_import(tenant, self.parts.clock.now());
        let begun = match try_once() {
            Ok(true) => return Ok(()),
            Ok(false) => self.abandon(superuser, &tenant.id).and_then(|()| Ok(try_once()?)),
            Err(error) => Err(error.into()),
        };
        match begun {
            Ok(true) => Ok(()),
            Ok(false) | Err(ImportError::Store(StoreError::IdTaken)) => Err(ImportError::IdTaken),
            Err(error) => Err(error),
        }
    }

    /// Writes the records, makes the index, and lets the tenant be used.
    fn fill(
        &self,
        superuser: &Superuser,
        from: &mut dyn ArchiveSource,
        checked: &Checked,
        on_progress: &mut dyn FnMut(ImportProgress),
    ) -> Result<(Vec<Email>, u64), ImportError> {
        let id = &checked.tenant.id;
        let mut batches = Batches::new(self.parts.store.as_ref(), id);
        let mut failure = None;
        let done = read(from, self.limits, &mut |_, read| {
            let Taken::Record(record) = read else {
                return Ok(());
            };
            if checked.is_renamed && matches!(*record, ArchivedRecord::Audit(_)) {
                return Ok(());
            }
            batches.add(*record, on_progress).map_err(|error| {
                failure = Some(error);
                "it could not be written".to_owned()
            })
        });
        if let Some(error) = failure {
            return Err(contradiction(error));
        }
        done?;
        batches.flush(on_progress).map_err(contradiction)?;
        let users_left_out = batches.left_out();
        let indexed = self.index(superuser, id, on_progress)?;
        let now = self.parts.clock.now();
        let actor = superuser.actor();
        self.parts
            .store
            .finish_import(id, checked.was_active, actor, now)?;
        self.parts.resolver.forget();
        Ok((users_left_out, indexed))
    }

    fn index(
        &self,
        superuser: &Superuser,
        id: &TenantId,
        on_progress: &mut dyn FnMut(ImportProgress),
    ) -> Result<u64, ImportError> {
        let scope = self.parts.resolver.keeping_scope(superuser, id)?;
        let scope = scope.ok_or(ImportError::IdTaken)?;
        let repaired = self.parts.reconciler.repair(&scope, &mut |repair| {
            on_progress(ImportProgress::Indexed(repair.done, repair.total));
        })?;
        match repaired.left.total() {
            0 => Ok(repaired.written),
            left => Err(ImportError::Incomplete(left)),
        }
    }

    /// Removes a tenant that was begun and not finished.
    fn abandon(&self, superuser: &Superuser, id: &TenantId) -> Result<(), ImportError> {
        match self.parts.store.import(id, &[]) {
            // A tenant whose last step was made although nobody was told so is whole.
            Err(StoreError::UnknownTenant) => return Ok(()),
            unfinished => unfinished?,
        };
        if let Some(scope) = self.parts.resolver.keeping_scope(superuser, id)? {
            let generations = self.parts.erase.generations(id)?;
            self.parts.collections.erase(&scope, &generations, false)?;
        }
        while self.parts.erase.erase_some(id, ROWS)? > 0 {}
        self.parts.store.abandon_import(id)?;
        Ok(())
    }
}

/// What was found out of an archive by reading it.
struct Checked {
    tenant: Tenant,
    was_active: bool,
    is_renamed: bool,
    counts: BTreeMap<String, u64>,
}

/// What a store says of records that do not fit each other.
fn contradiction(error: StoreError) -> ImportError {
    match error {
        StoreError::IdTaken | StoreError::EmailTaken | StoreError::UnknownTenant => {
            ImportError::Contradiction
        }
        error => error.into(),
    }
}

impl fmt::Debug for Importer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Importer")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ImportParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportParts").finish_non_exhaustive()
    }
}

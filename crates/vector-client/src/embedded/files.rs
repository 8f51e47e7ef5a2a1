use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tenantry_domain::TenantId;

use super::fault::Fault;
use super::tenant_file::TenantFile;

/// The files of a folder, of which the last used keep their connections.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    busy_timeout: Duration,
    limit: usize,
    recent: Mutex<Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    uses: u64,
    files: HashMap<TenantId, Used>,
}

#[derive(Debug)]
struct Used {
    file: Arc<TenantFile>,
    last: u64,
}

impl Files {
    pub(super) fn new(folder: PathBuf, busy_timeout: Duration, limit: usize) -> Self {
        Self {
            folder,
            busy_timeout,
            limit: limit.max(1),
            recent: Mutex::default(),
        }
    }

    /// The tenant's file, whether it exists or not. Everyone who uses it at one time holds the same one.
    pub(super) fn of(&self, tenant: &TenantId) -> Result<Arc<TenantFile>, Fault> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.uses += 1;
        let last = recent.uses;
        if let Some(used) = recent.files.get_mut(tenant) {
            used.last = last;
            return Ok(used.file.clone());
        }
        let file = Arc::new(TenantFile::new(self.path_of(tenant)?, self.busy_timeout));
        recent.files.insert(
            tenant.clone(),
            Used {
                file: file.clone(),
                last,
            },
        );
        recent.forget_beyond(self.limit);
        Ok(file)
    }

    /// `{folder}/{tenant}.sqlite`. A tenant id cannot leave the folder; this holds even if its grammar changes.
    fn path_of(&self, tenant: &TenantId) -> Result<PathBuf, Fault> {
        let name = format!("{tenant}.sqlite");
        let mut components = Path::new(&name).components();
        match (components.next(), components.next()) {
            (Some(Component::Normal(only)), None) if only == name.as_str() => Ok(self.folder.join(name)),
            _ => Err(Fault::Unreadable("the tenant id is no file name".into())),
        }
    }
}

impl Recent {
    /// Drops the longest unused files above the limit, but none that somebody holds: two of one tenant at a time would
    /// not keep out of each other's way.
    fn forget_beyond(&mut self, limit: usize) {
        while self.files.len() > limit {
            let idle = self
                .files
                .iter()
                .filter(|(_, used)| Arc::strong_count(&used.file) == 1);
            let Some(oldest) = idle
                .min_by_key(|(_, used)| used.last)
                .map(|(tenant, _)| tenant.clone())
            else {
                return;
            };
            self.files.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    #[test]
    fn the_longest_unused_file_is_forgotten_but_none_in_use() {
        let files = Files::new("/nowhere".into(), Duration::ZERO, 2);
        let in_use = files.of(&tenant("a")).unwrap();
        for id in ["b", "c", "b", "d"] {
            drop(files.of(&tenant(id)).unwrap());
        }
        let recent = files.recent.lock().unwrap();
        let mut kept: Vec<_> = recent.files.keys().map(TenantId::as_str).collect();
        kept.sort_unstable();
        assert_eq!(kept, ["a", "d"]);
        drop(recent);
        assert!(Arc::ptr_eq(&in_use, &files.of(&tenant("a")).unwrap()));
    }
}

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
    closing: bool,
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

    /// The tenant's file, whether it exists or not. Everyone who uses it at one time holds the same one, because two would
    /// not keep out of each other's way.
    pub(super) fn of(&self, tenant: &TenantId) -> Result<Arc<TenantFile>, Fault> {
        let path = self.path_of(tenant)?;
        let (file, unused) = {
            let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            let file = recent.touch(tenant, || TenantFile::new(path, self.busy_timeout));
            (file, recent.beyond(self.limit))
        };
        // Closing writes to the disk, so other tenants do not wait for it.
        for file in unused {
            file.close();
        }
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
    fn touch(&mut self, tenant: &TenantId, open: impl FnOnce() -> TenantFile) -> Arc<TenantFile> {
        self.uses += 1;
        let new = || Used {
            file: Arc::new(open()),
            last: 0,
            closing: false,
        };
        let used = self.files.entry(tenant.clone()).or_insert_with(new);
        used.last = self.uses;
        used.closing = false;
        used.file.clone()
    }

    /// The longest unused files above the limit, to be closed, but none that somebody holds. An entry is forgotten only
    /// when its file was closed and nobody took it since.
    fn beyond(&mut self, limit: usize) -> Vec<Arc<TenantFile>> {
        self.files
            .retain(|_, used| !used.closing || Arc::strong_count(&used.file) > 1);
        let open = self.files.values().filter(|used| !used.closing).count();
        let idle = |used: &&mut Used| !used.closing && Arc::strong_count(&used.file) == 1;
        let mut idle: Vec<_> = self.files.values_mut().filter(idle).collect();
        idle.sort_unstable_by_key(|used| used.last);
        let unused = idle.into_iter().take(open.saturating_sub(limit));
        let close = |used: &mut Used| {
            used.closing = true;
            used.file.clone()
        };
        unused.map(close).collect()
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
        let names = |recent: &Recent| {
            let open = recent.files.iter().filter(|(_, used)| !used.closing);
            let mut names: Vec<_> = open.map(|(tenant, _)| tenant.to_string()).collect();
            names.sort_unstable();
            names
        };
        assert_eq!(names(&files.recent.lock().unwrap()), ["a", "d"]);
        assert_eq!(files.recent.lock().unwrap().beyond(2).len(), 0);
        assert_eq!(files.recent.lock().unwrap().files.len(), 2);
        assert!(Arc::ptr_eq(&in_use, &files.of(&tenant("a")).unwrap()));
    }
}

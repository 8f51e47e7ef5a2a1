use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tenantry_domain::{Generation, IndexScope, TenantId};

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

type Key = (TenantId, Generation);

#[derive(Debug, Default)]
struct Recent {
    uses: u64,
    files: HashMap<Key, Used>,
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

    /// The index's file, whether it exists or not. Everyone who uses it at one time holds the same one, because two would
    /// not keep out of each other's way.
    pub(super) fn of(&self, index: IndexScope<'_>) -> Result<Arc<TenantFile>, Fault> {
        let key = (index.tenant().id().clone(), index.generation());
        let path = self.path_of(&key)?;
        let (file, unused) = {
            let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            let file = recent.touch(key, || TenantFile::new(path, self.busy_timeout));
            (file, recent.beyond(self.limit))
        };
        // Closing writes to the disk, so others do not wait for it.
        for file in unused {
            file.close();
        }
        Ok(file)
    }

    /// `{folder}/{tenant}.sqlite` for the first generation, `{folder}/{tenant}.{generation}.sqlite` for the others: no
    /// tenant id has a dot. None can leave the folder either; this holds even if their grammar changes.
    fn path_of(&self, (tenant, generation): &Key) -> Result<PathBuf, Fault> {
        let name = if *generation == Generation::FIRST {
            format!("{tenant}.sqlite")
        } else {
            format!("{tenant}.{generation}.sqlite")
        };
        let mut components = Path::new(&name).components();
        match (components.next(), components.next()) {
            (Some(Component::Normal(only)), None) if only == name.as_str() => Ok(self.folder.join(name)),
            _ => Err(Fault::Unreadable("the tenant id is no file name".into())),
        }
    }
}

impl Recent {
    fn touch(&mut self, key: Key, open: impl FnOnce() -> TenantFile) -> Arc<TenantFile> {
        self.uses += 1;
        let new = || Used {
            file: Arc::new(open()),
            last: 0,
            closing: false,
        };
        let used = self.files.entry(key).or_insert_with(new);
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
    use crate::conformance::scope;

    #[test]
    fn the_longest_unused_file_is_forgotten_but_none_in_use() {
        let files = Files::new("/nowhere".into(), Duration::ZERO, 2);
        let of = |id: &str| files.of(scope(id).index(Generation::FIRST)).unwrap();
        let in_use = of("a");
        for id in ["b", "c", "b", "d"] {
            drop(of(id));
        }
        let names = |recent: &Recent| {
            let open = recent.files.iter().filter(|(_, used)| !used.closing);
            let mut names: Vec<_> = open.map(|((tenant, _), _)| tenant.to_string()).collect();
            names.sort_unstable();
            names
        };
        assert_eq!(names(&files.recent.lock().unwrap()), ["a", "d"]);
        assert_eq!(files.recent.lock().unwrap().beyond(2).len(), 0);
        assert_eq!(files.recent.lock().unwrap().files.len(), 2);
        assert!(Arc::ptr_eq(&in_use, &of("a")));
    }

    #[test]
    fn every_generation_has_a_file_of_its_own() {
        let files = Files::new("/vectors".into(), Duration::ZERO, 2);
        let path = |tenant: &str, generation| {
            let key = (
                TenantId::parse(tenant).unwrap(),
                Generation::new(generation).unwrap(),
            );
            files.path_of(&key).unwrap()
        };
        assert_eq!(path("acme", 1), Path::new("/vectors/acme.sqlite"));
        assert_eq!(path("acme", 12), Path::new("/vectors/acme.12.sqlite"));
        assert_ne!(path("acme-2", 1), path("acme", 2));
    }
}

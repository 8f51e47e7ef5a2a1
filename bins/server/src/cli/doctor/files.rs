//! Folders and files: who may read them, and how much space is left.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statvfs};

use super::report::Report;
use crate::config::{Environment, Settings};

const MIB: u64 = 1 << 20;
/// Below this a database cannot be relied on to write.
const TOO_LITTLE: u64 = 100 * MIB;
/// Below this somebody should look.
const LITTLE: u64 = 1_024 * MIB;

/// Whoever is neither the owner nor of the group.
const OTHERS: u32 = 0o007;
/// Whoever is not the owner.
const NOT_THE_OWNER: u32 = 0o077;

pub(super) fn check(env: &Environment, settings: &Settings, report: &mut Report) {
    data_folder(&settings.data_dir, report);
    if let Some(file) = settings.database.file().filter(|file| file.exists()) {
        database_file(file, report);
    }
    if let Some(file) = env.get("SECRET_KEY_FILE").filter(|file| !file.is_empty()) {
        // Mounted secrets are often of a group; all the world is never meant.
        kept_from(OTHERS, Path::new(&file), "SECRET_KEY_FILE", "chmod o-rwx", report);
    }
    space(settings, report);
}

fn data_folder(folder: &Path, report: &mut Report) {
    const CHECK: &str = "data folder";
    let shown = folder.display();
    match fs::metadata(folder) {
        Err(_) => {
            return report.warning(
                CHECK,
                format_args!("{shown} does not exist yet"),
                "`tenantry serve` makes it; else DATA_DIR names another place",
            );
        }
        Ok(found) if !found.is_dir() => {
            return report.problem(
                CHECK,
                format_args!("{shown} is no folder"),
                "DATA_DIR must name one",
            );
        }
        Ok(_) => {}
    }
    if access(folder, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() {
        return report.problem(
            CHECK,
            format_args!("this user may not read and write {shown}"),
            "make the server's user its owner",
        );
    }
    kept_from(NOT_THE_OWNER, folder, CHECK, "chmod go-rwx", report);
}

fn database_file(file: &Path, report: &mut Report) {
    const CHECK: &str = "database file";
    if access(file, Access::READ_OK | Access::WRITE_OK).is_err() {
        return report.problem(
            CHECK,
            format_args!("this user may not read and write {}", file.display()),
            "make the server's user its owner",
        );
    }
    kept_from(NOT_THE_OWNER, file, CHECK, "chmod go-rwx", report);
}

/// Whether those whom `mode` means have no rights to a file or folder.
fn kept_from(mode: u32, path: &Path, check: &'static str, cure: &str, report: &mut Report) {
    let shown = path.display();
    match fs::metadata(path) {
        Ok(found) if found.permissions().mode() & mode == 0 => {
            report.ok(check, format_args!("{shown} is for its owner alone"));
        }
        Ok(found) => report.warning(
            check,
            format_args!(
                "other users of this machine have rights to {shown}: mode {:03o}",
                found.permissions().mode() & 0o777
            ),
            format_args!("{cure} {shown}"),
        ),
        Err(error) => report.problem(
            check,
            format_args!("{shown} cannot be looked at: {error}"),
            "make the server's user its owner",
        ),
    }
}

fn space(settings: &Settings, report: &mut Report) {
    let mut places = vec![settings.data_dir.clone()];
    if let Some(file) = settings.database.file() {
        places.push(file.to_owned());
    }
    // Folders on the same file system share its space.
    let mut known = BTreeSet::new();
    for there in places.iter().filter_map(|place| existing(place)) {
        let device = fs::metadata(&there).map(|found| found.dev()).ok();
        if device.is_some_and(|device| !known.insert(device)) {
            continue;
        }
        match statvfs(&there) {
            Ok(found) => judge_space(&there, found.f_bavail.saturating_mul(found.f_frsize), report),
            Err(error) => report.warning(
                "disk",
                format_args!("the space at {} is not known: {error}", there.display()),
                "look at it yourself",
            ),
        }
    }
}

/// The path, or what it will be made in.
fn existing(path: &Path) -> Option<PathBuf> {
    // A relative path has an empty last ancestor, which stands for the working folder.
    let mut ancestors = path.ancestors().map(|one| {
        if one.as_os_str().is_empty() {
            Path::new(".")
        } else {
            one
        }
    });
    ancestors.find(|one| one.exists()).map(Path::to_owned)
}

fn judge_space(place: &Path, free: u64, report: &mut Report) {
    const CHECK: &str = "disk";
    const ADVICE: &str = "make room, before writing fails";
    let told = format!("{} MiB are free at {}", free / MIB, place.display());
    if free < TOO_LITTLE {
        report.problem(CHECK, told, ADVICE);
    } else if free < LITTLE {
        report.warning(CHECK, told, ADVICE);
    } else {
        report.ok(CHECK, told);
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Verdict;
    use super::*;

    #[test]
    fn little_space_is_a_warning_and_less_a_problem() {
        for (free, verdict) in [
            (0, Verdict::Problem),
            (TOO_LITTLE - 1, Verdict::Problem),
            (TOO_LITTLE, Verdict::Warning),
            (LITTLE - 1, Verdict::Warning),
            (LITTLE, Verdict::Ok),
        ] {
            let mut report = Report::default();
            judge_space(Path::new("/data"), free, &mut report);
            assert_eq!(report.verdict(), verdict, "{free}");
        }
    }

    #[test]
    fn what_is_not_there_yet_is_made_in_what_is() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        assert_eq!(existing(&deep).as_deref(), Some(folder.path()));
        assert_eq!(existing(Path::new("no-such-file")), Some(PathBuf::from(".")));
    }
}

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use sha2::{Digest, Sha256};
use tenantry_domain::{ContentHash, MediaType};

/// How much of a file is hashed at a time, in bytes.
const PART: u64 = 256 << 10;
/// How much of a file is searched for its title, in bytes.
const BEGINNING: u64 = 64 << 10;
/// The longest title, in characters.
const LONGEST_TITLE: usize = 300;

/// A file to take in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// Where it is.
    pub(super) path: PathBuf,
    /// What the document is known by: the name of the folder that was given and the path below it, or the name of the file that
    /// was given, with slashes. The same folder gives the same names from wherever it is taken in.
    pub(super) external_id: String,
}

/// A file to take in, or a path with the reason why it is not.
pub(super) type Found = Result<Source, (PathBuf, String)>;

/// The files that `paths` name, each once, folders searched from top to bottom in the order of their names.
pub(super) fn find(paths: &[PathBuf]) -> Vec<Found> {
    let mut found = Vec::new();
    for path in paths {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => search(path, &mut own_name(path).into(), &mut found),
            Ok(metadata) if metadata.is_file() => found.push(Ok(Source {
                path: path.clone(),
                external_id: own_name(path),
            })),
            Ok(_) => found.push(Err((
                path.clone(),
                "it is neither a file nor a folder".to_owned(),
            ))),
            Err(error) => found.push(Err((path.clone(), error.to_string()))),
        }
    }
    each_once(found)
}

/// The name of a file or folder, also of one that is given as `.` or `notes/..`.
fn own_name(path: &Path) -> String {
    let resolved = || fs::canonicalize(path).ok();
    let name = match path.components().next_back() {
        Some(Component::Normal(name)) => Some(name.to_owned()),
        _ => resolved().and_then(|path| path.file_name().map(OsStr::to_owned)),
    };
    name.unwrap_or_default().to_string_lossy().into_owned()
}

/// Adds the files below a folder, `name` being what it is known by. Hidden files and folders are left out.
fn search(folder: &Path, name: &mut PathBuf, found: &mut Vec<Found>) {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => return found.push(Err((folder.to_owned(), error.to_string()))),
    };
    entries.retain(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        name.push(entry.file_name());
        // The type of the entry itself, so that a link is neither followed out of the folder nor in a circle.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => search(&path, name, found),
            Ok(kind) if kind.is_file() => found.push(Ok(Source {
                path,
                external_id: with_slashes(name),
            })),
            Ok(_) => {}
            Err(error) => found.push(Err((path, error.to_string()))),
        }
        name.pop();
    }
}

fn with_slashes(name: &Path) -> String {
    let parts: Vec<_> = name
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}

/// The hash of a file's bytes, by which a document knows its file again.
pub(super) fn hash(path: &Path) -> io::Result<ContentHash> {
    let (mut file, mut hash) = (fs::File::open(path)?, Sha256::new());
    let mut part = Vec::new();
    loop {
        part.clear();
        if file.by_ref().take(PART).read_to_end(&mut part)? == 0 {
            return Ok(ContentHash::from_bytes(hash.finalize().into()));
        }
        hash.update(&part);
    }
}

/// The title of a Markdown file, which is its first heading; other files have titles of their own or none.
pub(super) fn title(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    if MediaType::of_name(name) != Some(MediaType::Markdown) {
        return None;
    }
    let mut beginning = Vec::new();
    fs::File::open(path)
        .ok()?
        .take(BEGINNING)
        .read_to_end(&mut beginning)
        .ok()?;
    heading(&String::from_utf8_lossy(&beginning))
}

/// The first heading of the first level.
pub(super) fn heading(markdown: &str) -> Option<String> {
    let line = markdown.lines().find_map(|line| line.strip_prefix("# "))?;
    let text = line.trim().trim_end_matches('#').trim();
    let visible = text
        .chars()
        .filter(|c| !c.is_control() && *c != char::REPLACEMENT_CHARACTER);
    Some(visible.take(LONGEST_TITLE).collect()).filter(|title: &String| !title.is_empty())
}

/// The same without files that were named twice; of two files of one name the second is refused, because it would replace the
/// first.
fn each_once(found: Vec<Found>) -> Vec<Found> {
    let mut known: HashMap<String, PathBuf> = HashMap::new();
    let mut once = Vec::with_capacity(found.len());
    for one in found {
        let Ok(source) = one else {
            once.push(one);
            continue;
        };
        let place = fs::canonicalize(&source.path).unwrap_or_else(|_| source.path.clone());
        match known.get(&source.external_id) {
            None => {
                known.insert(source.external_id.clone(), place);
                once.push(Ok(source));
            }
            Some(first) if *first == place => {}
            Some(first) => {
                let reason = format!(
                    "{} has the same name `{}`: take it in apart",
                    first.display(),
                    source.external_id
                );
                once.push(Err((source.path, reason)));
            }
        }
    }
    once
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    fn made(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        folder
    }

    fn names(found: &[Found]) -> Vec<&str> {
        found
            .iter()
            .map(|one| one.as_ref().unwrap().external_id.as_str())
            .collect()
    }

    #[test]
    fn a_folder_gives_every_file_that_is_not_hidden_in_order() {
        let folder = made(&[
            "h/z.md",
            "h/a.TXT",
            "h/b/one.pdf",
            "h/b/c/notes",
            "h/.git/config",
            "h/.env",
        ]);
        let top = folder.path().join("h");
        #[cfg(unix)]
        std::os::unix::fs::symlink(&top, top.join("b/loop")).unwrap();
        let expected = ["h/a.TXT", "h/b/c/notes", "h/b/one.pdf", "h/z.md"];
        assert_eq!(names(&find(slice::from_ref(&top))), expected);
        assert_eq!(names(&find(&[top.join("b/..")])), expected, "from elsewhere");
        assert_eq!(names(&find(&[top.join("b/one.pdf")])), ["one.pdf"]);
    }

    #[test]
    fn a_file_is_taken_once_and_never_in_place_of_another() {
        let folder = made(&["a/x.md", "b/x.md"]);
        let (a, b) = (folder.path().join("a/x.md"), folder.path().join("b/x.md"));
        assert_eq!(find(&[a.clone(), a.clone()]).len(), 1);
        let found = find(&[a, b.clone()]);
        assert!(
            matches!(&found[1], Err((path, reason)) if *path == b && reason.contains("x.md")),
            "{found:?}"
        );
        assert_eq!(
            names(&find(&[folder.path().join("a"), folder.path().join("b")])),
            ["a/x.md", "b/x.md"]
        );
    }

    #[test]
    fn the_title_of_markdown_is_its_first_heading() {
        assert_eq!(
            heading("intro\n\n# Fees and fines #\n# Other").unwrap(),
            "Fees and fines"
        );
        assert_eq!(heading("## No first level"), None);
        assert_eq!(
            heading(&format!("# {}", "é".repeat(400)))
                .unwrap()
                .chars()
                .count(),
            300
        );
        let folder = made(&["a.md", "b.txt"]);
        for (name, expected) in [("a.md", Some("Fees".to_owned())), ("b.txt", None)] {
            let path = folder.path().join(name);
            fs::write(&path, "# Fees\n").unwrap();
            assert_eq!(title(&path), expected);
        }
    }

    #[test]
    fn a_path_that_is_not_there_is_told_with_its_reason() {
        let folder = made(&[]);
        let missing = folder.path().join("b.md");
        assert!(matches!(&find(slice::from_ref(&missing))[0], Err((path, _)) if *path == missing));
    }
}

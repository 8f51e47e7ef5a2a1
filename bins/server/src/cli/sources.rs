use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use tenantry_domain::MediaType;
use tenantry_retrieval::NewText;

/// No text of 5,000,000 characters is longer in bytes.
const MAX_BYTES: u64 = 20_000_000;

/// A file to take in, or a path with the reason why it is not.
pub(super) type Found = Result<PathBuf, (PathBuf, String)>;

/// The files that `paths` name, folders searched from top to bottom in the order of their names.
pub(super) fn find(paths: &[PathBuf]) -> Vec<Found> {
    let mut found = Vec::new();
    for path in paths {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => search(path, &mut found),
            Ok(_) if media_type(path).is_some() => found.push(Ok(path.clone())),
            Ok(_) => found.push(Err((
                path.clone(),
                "its name ends neither in .txt nor in .md".to_owned(),
            ))),
            Err(error) => found.push(Err((path.clone(), error.to_string()))),
        }
    }
    found
}

fn search(folder: &Path, found: &mut Vec<Found>) {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => return found.push(Err((folder.to_owned(), error.to_string()))),
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // The type of the entry itself, so that a link is neither followed out of the folder nor in a circle.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => search(&path, found),
            Ok(kind) if kind.is_file() && media_type(&path).is_some() => found.push(Ok(path)),
            Ok(_) => {}
            Err(error) => found.push(Err((path, error.to_string()))),
        }
    }
}

/// Reads a file as a document.
pub(super) fn read(path: &Path) -> Result<NewText, String> {
    let media_type = media_type(path).ok_or("its name ends neither in .txt nor in .md")?;
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    if metadata.len() > MAX_BYTES {
        return Err(format!("it has more than {MAX_BYTES} bytes"));
    }
    let text = fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    })?;
    Ok(NewText {
        title: title(path, media_type, &text),
        media_type,
        text,
    })
}

fn media_type(path: &Path) -> Option<MediaType> {
    match path
        .extension()
        .and_then(OsStr::to_str)?
        .to_ascii_lowercase()
        .as_str()
    {
        "txt" => Some(MediaType::PlainText),
        "md" | "markdown" => Some(MediaType::Markdown),
        _ => None,
    }
}

/// The first heading of a Markdown text, else the name of the file.
fn title(path: &Path, media_type: MediaType, text: &str) -> String {
    let heading = match media_type {
        MediaType::Markdown => heading(text),
        MediaType::PlainText => None,
    };
    let name = || path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    heading
        .or_else(name)
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .take(300)
        .collect()
}

/// The first heading of the first level.
pub(super) fn heading(markdown: &str) -> Option<String> {
    let text = markdown
        .lines()
        .find_map(|line| line.strip_prefix("# "))?
        .trim()
        .trim_end_matches('#')
        .trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_searched_in_order_for_text_and_markdown() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("b/c")).unwrap();
        for name in [
            "z.md",
            "a.TXT",
            "b/one.md",
            "b/c/two.markdown",
            "b/picture.png",
            "notes",
        ] {
            fs::write(at(name), "x").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path(), at("b/loop")).unwrap();
        let found: Vec<PathBuf> = find(&[folder.path().to_owned()])
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(found, ["a.TXT", "b/c/two.markdown", "b/one.md", "z.md"].map(at));
    }

    #[test]
    fn a_named_file_that_cannot_be_read_is_told_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let (picture, missing) = (folder.path().join("a.png"), folder.path().join("b.md"));
        fs::write(&picture, "x").unwrap();
        let found = find(&[picture.clone(), missing.clone()]);
        assert!(matches!(&found[0], Err((path, reason)) if *path == picture && reason.contains(".txt")));
        assert!(matches!(&found[1], Err((path, _)) if *path == missing));
        let latin = folder.path().join("latin.txt");
        fs::write(&latin, b"caf\xe9").unwrap();
        assert_eq!(read(&latin).unwrap_err(), "it is not UTF-8 text");
    }

    #[test]
    fn a_title_is_the_first_heading_or_the_name_of_the_file() {
        let titled =
            |name: &str, text: &str| title(Path::new(name), media_type(Path::new(name)).unwrap(), text);
        assert_eq!(
            titled("fees.md", "intro\n\n# Fees and fines #\n# Other"),
            "Fees and fines"
        );
        assert_eq!(titled("fees.md", "## No first level"), "fees");
        assert_eq!(titled("fees.txt", "# a comment"), "fees");
        assert_eq!(
            titled("x.md", &format!("# {}", "é".repeat(400))).chars().count(),
            300
        );
    }
}

//! EPUB 2 and 3: the sections of the book in the order of its spine, each an HTML page.

use std::collections::HashMap;

use tenantry_domain::{MediaType, TextFormat};

use super::html::{self, Dialect};
use super::parts::{Opens, resolved, title};
use crate::out::Out;
use crate::package::Package;
use crate::xml::{self, Attributes};
use crate::{ExtractError, Extracted, Limits};

/// Ways to veil an embedded font, which leave the text readable.
const FONT_VEILS: [&str; 2] = [
    "http://www.idpf.org/2008/embedding",
    "http://ns.adobe.com/pdf/enc#RC",
];

pub(super) fn read(
    package: &mut Package<'_>,
    container: &str,
    limits: &Limits,
    out: &mut Out<'_, '_>,
) -> Result<Extracted, ExtractError> {
    if is_protected(package, limits)? {
        return Err(ExtractError::Encrypted);
    }
    let contents = contents_path(package, container, limits)?;
    let title = title(package, &contents, limits)?;
    for path in sections(package, &contents, limits)? {
        let Some(bytes) = package.bytes(&path)? else {
            continue;
        };
        out.page()?;
        html::write(&html::decoded(&bytes), Dialect::Xhtml, out)?;
    }
    Ok(Extracted {
        media_type: MediaType::Epub,
        format: TextFormat::Markdown,
        title,
        pages: out.pages(),
    })
}

fn is_protected(package: &mut Package<'_>, limits: &Limits) -> Result<bool, ExtractError> {
    let Some(part) = package.part("META-INF/encryption.xml")? else {
        return Ok(false);
    };
    let mut protected = false;
    let mut visitor = Opens(|name: &str, attributes: Attributes<'_>| {
        if name == "EncryptionMethod" {
            let method = attributes.get("Algorithm").unwrap_or_default();
            protected = protected || !FONT_VEILS.contains(&method.as_str());
        }
    });
    xml::walk(part, limits, &mut visitor)?;
    Ok(protected)
}

fn contents_path(
    package: &mut Package<'_>,
    container: &str,
    limits: &Limits,
) -> Result<String, ExtractError> {
    let mut path = None;
    let mut visitor = Opens(|name: &str, attributes: Attributes<'_>| {
        if name == "rootfile" && path.is_none() {
            path = attributes.get("full-path");
        }
    });
    if let Some(part) = package.part(container)? {
        xml::walk(part, limits, &mut visitor)?;
    }
    path.ok_or_else(|| ExtractError::damaged("the book does not name its contents"))
}

/// The paths of the book's pages in reading order, its own table of contents aside.
fn sections(package: &mut Package<'_>, contents: &str, limits: &Limits) -> Result<Vec<String>, ExtractError> {
    let mut pages = HashMap::new();
    let mut spine = Vec::new();
    let mut visitor = Opens(|name: &str, attributes: Attributes<'_>| match name {
        "item" => {
            let is_page = attributes
                .get("media-type")
                .is_some_and(|kind| kind.contains("html"));
            let is_contents = attributes
                .get("properties")
                .is_some_and(|all| all.split_whitespace().any(|one| one == "nav"));
            if let (true, false, Some(id), Some(href)) =
                (is_page, is_contents, attributes.get("id"), attributes.get("href"))
            {
                pages.insert(id, resolved(contents, &href));
            }
        }
        "itemref" => spine.extend(attributes.get("idref")),
        _ => {}
    });
    let part = package
        .part(contents)?
        .ok_or_else(|| ExtractError::damaged("the book's contents are missing"))?;
    xml::walk(part, limits, &mut visitor)?;
    // A page that the spine names twice is read once, or a small book could become a large one.
    Ok(spine.into_iter().filter_map(|id| pages.remove(&id)).collect())
}

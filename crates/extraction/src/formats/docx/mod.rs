//! Word documents (ECMA-376 part 1, clause 17): paragraphs, headings, lists, tables, footnotes.

mod body;
mod numbering;
mod styles;

use tenantry_domain::{MediaType, TextFormat};

use self::body::Body;
use self::numbering::Numbering;
use self::styles::Styles;
use super::parts::{relations, title};
use crate::out::Out;
use crate::package::Package;
use crate::xml::{self, Visitor};
use crate::{ExtractError, Extracted, Limits};

pub(super) fn read(
    package: &mut Package<'_>,
    main: &str,
    limits: &Limits,
    out: &mut Out<'_, '_>,
) -> Result<Extracted, ExtractError> {
    let title = title(package, "docProps/core.xml", limits)?;
    let relations = relations(package, main, limits)?;
    let related = |kind: &str| {
        let relation = relations.values().find(|relation| relation.kind == kind);
        relation.map(|relation| relation.path.as_str())
    };
    let mut styles = Styles::default();
    walk(package, related("styles"), limits, &mut styles)?;
    let mut numbering = Numbering::default();
    walk(package, related("numbering"), limits, &mut numbering)?;
    if !package.has(main) {
        return Err(ExtractError::damaged("the text of the document is missing"));
    }
    let mut body = Body::new(out, &styles, &numbering);
    for path in [Some(main), related("footnotes"), related("endnotes")] {
        walk(package, path, limits, &mut body)?;
    }
    Ok(Extracted {
        media_type: MediaType::Docx,
        format: TextFormat::Markdown,
        title,
        pages: 0,
    })
}

fn walk(
    package: &mut Package<'_>,
    path: Option<&str>,
    limits: &Limits,
    visitor: &mut dyn Visitor,
) -> Result<(), ExtractError> {
    match path.map(|path| package.part(path)).transpose()?.flatten() {
        Some(part) => xml::walk(part, limits, visitor),
        None => Ok(()),
    }
}

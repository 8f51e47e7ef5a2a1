//! What a ZIP archive is: a document of one of the kinds that are kept in ZIP archives, or nothing that is read.

use tenantry_domain::MediaType;

use super::parts::Opens;
use crate::package::Package;
use crate::xml::{self, Attributes};
use crate::{ExtractError, Limits};

/// The kind of the document, with the path of its main part.
pub(super) fn kind(package: &mut Package<'_>, limits: &Limits) -> Result<(MediaType, String), ExtractError> {
    if let Some(main) = office(package, limits)? {
        return Ok(main);
    }
    if package.has("META-INF/container.xml") && !package.has("META-INF/MANIFEST.MF") {
        return Ok((MediaType::Epub, "META-INF/container.xml".to_owned()));
    }
    let found = match package.bytes("mimetype")?.as_deref() {
        Some(kind) if kind.starts_with(b"application/vnd.oasis.opendocument") => {
            "an OpenDocument file; save it as .docx, .pptx, .xlsx or .pdf"
        }
        _ if package.has("Index/Document.iwa") => {
            "an Apple iWork file; export it as .docx, .pptx, .xlsx or .pdf"
        }
        _ => "a ZIP archive; unpack it and send the files inside",
    };
    Err(ExtractError::unsupported(found))
}

/// The main part of a package by its declared content type (ECMA-376 part 2, clause 6.2.3).
fn office(package: &mut Package<'_>, limits: &Limits) -> Result<Option<(MediaType, String)>, ExtractError> {
    let Some(types) = package.part("[Content_Types].xml")? else {
        return Ok(None);
    };
    let mut main = None;
    let mut binary = false;
    let mut visitor = Opens(|name: &str, attributes: Attributes<'_>| {
        let kind = attributes
            .get("ContentType")
            .unwrap_or_default()
            .to_ascii_lowercase();
        if name != "Override" || !kind.contains(".main") {
            return;
        }
        binary = binary || kind.contains("sheet.binary");
        let media_type = [
            (["wordprocessingml", "ms-word"], MediaType::Docx),
            (["presentationml", "ms-powerpoint"], MediaType::Pptx),
            (["spreadsheetml", "ms-excel"], MediaType::Xlsx),
        ]
        .into_iter()
        .find(|(families, _)| families.iter().any(|family| kind.contains(family)));
        if let (None, Some((_, media_type)), Some(path)) = (&main, media_type, attributes.get("PartName")) {
            main = Some((media_type, path.trim_start_matches('/').to_owned()));
        }
    });
    xml::walk(types, limits, &mut visitor)?;
    if binary {
        return Err(ExtractError::unsupported(
            "a binary Excel workbook (.xlsb); save it as .xlsx",
        ));
    }
    Ok(main)
}

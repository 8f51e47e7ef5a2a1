//! The readers of formats. Each takes the whole file and writes its text.

mod csv;
mod docx;
mod eml;
mod epub;
mod html;
mod parts;
mod pdf;
mod pptx;
mod rtf;
mod xlsx;
mod zipped;

use tenantry_domain::MediaType;

use crate::detect::{self, Beginning};
use crate::memory::plain_or_markdown;
use crate::out::Out;
use crate::package::Package;
use crate::{ExtractError, Extracted, FileHint, Limits, charset};

/// Writes the text of a whole file that begins as `beginning` says.
pub(crate) fn read(
    beginning: Beginning,
    bytes: Vec<u8>,
    hint: FileHint<'_>,
    limits: &Limits,
    out: &mut Out<'_, '_>,
) -> Result<Extracted, ExtractError> {
    match beginning {
        Beginning::Ole => Err(detect::ole(&bytes)),
        Beginning::Zip => zip(&bytes, limits, out),
        Beginning::Known(kind) => match kind {
            MediaType::Pdf => pdf::read(bytes, out),
            MediaType::Html => html::read(&bytes, out),
            MediaType::Csv => csv::read(&bytes, out),
            MediaType::Rtf => rtf::read(&bytes, out),
            MediaType::Eml => eml::read(&bytes, out),
            MediaType::PlainText | MediaType::Markdown => {
                out.text(&charset::decode(&bytes, None))?;
                Ok(plain_or_markdown(hint))
            }
            MediaType::Docx | MediaType::Pptx | MediaType::Xlsx | MediaType::Epub => zip(&bytes, limits, out),
        },
    }
}

fn zip(bytes: &[u8], limits: &Limits, out: &mut Out<'_, '_>) -> Result<Extracted, ExtractError> {
    let mut package = Package::open(bytes, limits)?;
    let (kind, main) = zipped::kind(&mut package, limits)?;
    match kind {
        MediaType::Docx => docx::read(&mut package, &main, limits, out),
        MediaType::Pptx => pptx::read(&mut package, &main, limits, out),
        MediaType::Xlsx => xlsx::read(bytes, package, limits, out),
        _ => epub::read(&mut package, &main, limits, out),
    }
}

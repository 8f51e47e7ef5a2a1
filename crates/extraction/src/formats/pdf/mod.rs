//! PDF, by hayro: it interprets the pages as a renderer would, and the characters come with their places. Reading
//! order is found from these places, because the order in the file is whatever its producer drew first.

mod bidi;
mod columns;
mod glyphs;
mod leaf;
mod rows;
mod sizes;
mod writer;

use hayro_interpret::hayro_syntax::page::Page;
use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro_interpret::kurbo::Rect;
use hayro_interpret::{Context, InterpreterCache, InterpreterSettings, TransformExt, interpret_page};
use tenantry_domain::{MediaType, TextFormat};

use self::glyphs::Glyphs;
use self::sizes::Sizes;
use crate::markdown::one_line;
use crate::out::Out;
use crate::{ExtractError, Extracted, charset};

/// How many pages are looked at to learn which size of type is the text's and which are its headings'.
const SAMPLED_PAGES: usize = 8;

pub(super) fn read(bytes: Vec<u8>, out: &mut Out<'_, '_>) -> Result<Extracted, ExtractError> {
    let pdf = Pdf::new(bytes).map_err(failure)?;
    let pages = pdf.pages();
    let cache = InterpreterCache::new();
    let mut sizes = Sizes::default();
    let step = pages.len().div_ceil(SAMPLED_PAGES).max(1);
    for page in pages.iter().step_by(step) {
        sizes.learn(glyphs(&pdf, page, &cache).drawn.iter());
    }
    let (mut drawn, mut unknown) = (0_u64, 0_u64);
    for page in pages.iter() {
        out.page()?;
        let glyphs = glyphs(&pdf, page, &cache);
        drawn += glyphs.images;
        unknown += glyphs.unknown;
        writer::write(glyphs.by_direction(), &sizes, out)?;
    }
    if !out.is_visible() {
        return Err(match (unknown, drawn) {
            (1.., _) => ExtractError::damaged("its fonts do not say which letters they show"),
            (0, 1..) => ExtractError::Scanned,
            (0, 0) => ExtractError::NoText,
        });
    }
    Ok(Extracted {
        media_type: MediaType::Pdf,
        format: TextFormat::Markdown,
        title: title(&pdf),
        pages: out.pages(),
    })
}

fn glyphs<'a>(pdf: &'a Pdf, page: &Page<'a>, cache: &InterpreterCache<'a>) -> Glyphs {
    let (width, height) = page.render_dimensions();
    let frame = Rect::new(0.0, 0.0, width.into(), height.into());
    let mut context = Context::new(
        page.initial_transform(true).to_kurbo(),
        frame,
        cache,
        pdf.xref(),
        InterpreterSettings::default(),
    );
    let mut glyphs = Glyphs::new(frame);
    interpret_page(page, &mut context, &mut glyphs);
    glyphs
}

/// The document's title, unless it is what programs write that were given none.
fn title(pdf: &Pdf) -> Option<String> {
    let title = one_line(&charset::decode(pdf.metadata().title.as_deref()?, None));
    let none = ["", "untitled", "(anonymous)"]
        .iter()
        .any(|none| title.eq_ignore_ascii_case(none));
    (!none).then_some(title)
}

fn failure(error: LoadPdfError) -> ExtractError {
    match error {
        LoadPdfError::Decryption(
            DecryptionError::PasswordProtected | DecryptionError::UnsupportedAlgorithm,
        ) => ExtractError::Encrypted,
        LoadPdfError::Decryption(_) => ExtractError::damaged("its encryption is malformed"),
        LoadPdfError::Invalid => ExtractError::damaged("it has no pages that can be found"),
    }
}

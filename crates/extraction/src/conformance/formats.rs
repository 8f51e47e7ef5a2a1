//! What an extractor of every format promises.

use std::cell::Cell;
use std::io::{self, Read};
use std::ops::ControlFlow;

use tenantry_domain::{MediaType, TextFormat};

use super::{Gathered, samples, whole};
use crate::{Bound, ExtractError, Extracted, Extractor, FileHint, Limits, Piece};

/// The limits that [`formats`] is to be run under: files that go beyond them are small enough to make.
pub fn limits() -> Limits {
    Limits {
        file_bytes: 4 << 20,
        text_chars: 2_000_000,
        unpacked_bytes: 8 << 20,
        archive_parts: 500,
        xml_depth: 200,
    }
}

/// Checks what an extractor of every format promises, under [`limits`].
pub fn formats(extractor: &dyn Extractor) {
    a_word_document_keeps_its_structure(extractor);
    slides_come_in_their_order(extractor);
    sheets_come_row_by_row(extractor);
    books_come_chapter_by_chapter(extractor);
    columns_of_a_pdf_are_read_one_after_the_other(extractor);
    right_to_left_text_comes_in_the_order_of_reading(extractor);
    the_content_tells_the_kind_whatever_the_name_says(extractor);
    other_encodings_become_utf8(extractor);
    text_is_passed_on_as_it_is_read(extractor);
    protected_files_say_so(extractor);
    files_without_text_say_so(extractor);
    old_and_foreign_files_are_refused_with_advice(extractor);
    damaged_files_are_called_damaged(extractor);
    files_that_grow_are_stopped(extractor);
    files_that_nest_or_loop_come_to_an_end(extractor);
}

/// Headings, lists, tables and notes of a Word document; nothing deleted, hidden or said twice.
pub fn a_word_document_keeps_its_structure(extractor: &dyn Extractor) {
    let run = |text: &str| format!("<w:r><w:t>{text}</w:t></w:r>");
    let cell = |text: &str| format!("<w:tc><w:p>{}</w:p></w:tc>", run(text));
    let body = [
        format!(
            r#"<w:p><w:pPr><w:pStyle w:val="Child"/></w:pPr>{}</w:p>"#,
            run("Head")
        ),
        format!(
            "<w:p>{}<w:del>{}</w:del><w:r><w:rPr><w:vanish/></w:rPr><w:t>ghost</w:t></w:r><w:r><w:tab/><w:t>two &amp; three</w:t><w:footnoteReference w:id=\"2\"/></w:r></w:p>",
            run("One"),
            run("gone")
        ),
        format!(
            r#"<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>{}</w:p>"#,
            run("first")
        ),
        format!(
            r#"<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>{}</w:p>"#,
            run("second")
        ),
        format!(
            "<w:tbl><w:tr>{}{}{}</w:tr><w:tr><w:tc><w:tcPr><w:gridSpan w:val=\"2\"/></w:tcPr><w:p>{}</w:p></w:tc>{}</w:tr></w:tbl>",
            cell("A"),
            cell("B"),
            cell("C"),
            run("wide"),
            cell("c")
        ),
        format!("<w:p>{}</w:p>", run("שלום עולם")),
    ];
    let (extracted, read) = ok(extractor, &samples::docx(&body.concat()), "a.docx");
    assert_eq!(
        read.text,
        "## Head\n\nOne\ttwo & three[^2]\n1. first\n2. second\n\n| A | B | C |\n| --- | --- | --- |\n| wide |  | c |\n\n\
         שלום עולם\n\n[^2]: A note."
    );
    let title = Some("The title".to_owned());
    assert_eq!(extracted, markdown(MediaType::Docx, title, 0));
}

/// Slides come in the presentation's order, each a page with its heading, tables and notes.
pub fn slides_come_in_their_order(extractor: &dyn Extractor) {
    let (extracted, read) = ok(extractor, &samples::pptx(), "a.pptx");
    assert_eq!(
        read.text,
        "# First\n\n- Point\n  - Deeper\n\nNotes: Say hello.\n\n# Second\n\n| A | B |\n| --- | --- |\n\n"
    );
    assert_eq!(extracted, markdown(MediaType::Pptx, None, 2));
    assert_eq!(read.pages, [(1, 0), (2, read.text.find("# Second").unwrap())]);
}

/// Visible sheets are pages; numbers and dates read as they look, and a far cell does not widen its row.
pub fn sheets_come_row_by_row(extractor: &dyn Extractor) {
    let (extracted, read) = ok(extractor, &samples::xlsx(samples::PRICES), "a.xlsx");
    let far = format!("| Nut |{}  | TRUE |", "  |".repeat(253));
    let text = format!(
        "# Prices\n\n| Item | Price | Since |\n| --- | --- | --- |\n| Bolt | 0.2 | 2026-03-02 |\n{far}"
    );
    assert_eq!(read.text.replace(" |  |", " | |"), text.replace(" |  |", " | |"));
    assert_eq!(extracted, markdown(MediaType::Xlsx, None, 1));
}

/// Chapters come in the order of the spine, without the book's own table of contents.
pub fn books_come_chapter_by_chapter(extractor: &dyn Extractor) {
    let fonts =
        r#"<encryption><EncryptionMethod Algorithm="http://www.idpf.org/2008/embedding"/></encryption>"#;
    let (extracted, read) = ok(extractor, &samples::epub(Some(fonts)), "a.epub");
    assert_eq!(read.text, "# One\n\nIt was a dark night.\n\n# Two\n\nIt was day.");
    let title = Some("The title".to_owned());
    assert_eq!(extracted, markdown(MediaType::Epub, title, 2));
}

/// A PDF's columns come one after the other, its tables row by row, large type as headings.
pub fn columns_of_a_pdf_are_read_one_after_the_other(extractor: &dyn Extractor) {
    let (extracted, read) = ok(extractor, &samples::article(), "a.pdf");
    let column = |side: &str| {
        let line = |at: u32| format!("{side} line {at} goes on to the end of its column");
        (0..6).map(line).collect::<Vec<_>>().join(" ")
    };
    let text = format!(
        "# On columns\n\n{}\n\n{}\n\nThe prices are these, and they hold until the end of the year.\n\n\
         | Item | Price |\n| --- | --- |\n| Bolt | 0.20 |\n| Nut | 0.10 |\n\n",
        column("left"),
        column("right")
    );
    assert_eq!(read.text, text);
    let title = Some("The title".to_owned());
    assert_eq!(extracted, markdown(MediaType::Pdf, title, 2));
    assert_eq!(read.pages, [(1, 0), (2, text.find("The prices").unwrap())]);
}

/// Hebrew that is drawn from left to right comes in the order of reading, its numbers in theirs.
pub fn right_to_left_text_comes_in_the_order_of_reading(extractor: &dyn Extractor) {
    let (_, read) = ok(extractor, &samples::hebrew(), "a.pdf");
    assert_eq!(read.text, "שלום עולם 12.50");
}

/// Neither a wrong name nor none changes what a file is; text is text under any name.
pub fn the_content_tells_the_kind_whatever_the_name_says(extractor: &dyn Extractor) {
    let mail = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: Hi\r\n\r\nHello".to_vec();
    for (bytes, kind) in [
        (
            samples::docx("<w:p><w:r><w:t>x</w:t></w:r></w:p>"),
            MediaType::Docx,
        ),
        (samples::pptx(), MediaType::Pptx),
        (samples::xlsx(samples::PRICES), MediaType::Xlsx),
        (samples::epub(None), MediaType::Epub),
        (samples::article(), MediaType::Pdf),
        (b"{\\rtf1 text}".to_vec(), MediaType::Rtf),
        (b"<!DOCTYPE html><p>text".to_vec(), MediaType::Html),
        (mail, MediaType::Eml),
        (b"just text".to_vec(), MediaType::PlainText),
    ] {
        for name in ["upload", "a.pdf", "a.docx", "a.png", ""] {
            assert_eq!(ok(extractor, &bytes, name).0.media_type, kind, "{name}");
        }
    }
    assert_eq!(ok(extractor, b"a;b\n1;2", "a.csv").0.media_type, MediaType::Csv);
    let mut unmarked = samples::article();
    if let Some(first) = unmarked.first_mut() {
        *first = b'p';
    }
    // A PDF with a damaged mark is no text that has the words of PDF in it.
    assert_eq!(ok(extractor, &unmarked, "a.pdf").0.media_type, MediaType::Pdf);
}

/// Text in another encoding than UTF-8 is told by its byte order mark or by what it looks like.
pub fn other_encodings_become_utf8(extractor: &dyn Extractor) {
    let utf16: Vec<u8> = "\u{feff}Größe שלום"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(ok(extractor, &utf16, "a.txt").1.text, "Größe שלום");
    let latin = b"Die Gr\xf6\xdfe der Stra\xdfe \x96 f\xfcr alle".repeat(9_000);
    let expected = "Die Größe der Straße – für alle".repeat(9_000);
    assert!(ok(extractor, &latin, "a.txt").1.text == expected);
}

/// Of plain text and Markdown no more is held than a small part, however long they are.
pub fn text_is_passed_on_as_it_is_read(extractor: &dyn Extractor) {
    const LINE: &[u8] = "eine Zeile mit Umlauten: äöü\n".as_bytes();
    struct Lines<'a> {
        left: usize,
        given: &'a Cell<usize>,
    }
    impl Read for Lines<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            // At the end of a buffer a line loses its end.
            let count = if self.left == 0 {
                0
            } else {
                LINE.len().min(buffer.len())
            };
            buffer
                .get_mut(..count)
                .unwrap()
                .copy_from_slice(LINE.get(..count).unwrap());
            self.left = self.left.saturating_sub(1);
            self.given.set(self.given.get() + count);
            Ok(count)
        }
    }
    let given = Cell::new(0);
    let (mut passed, mut furthest) = (0, 0);
    let mut lines = Lines {
        left: 40_000,
        given: &given,
    };
    let result = extractor.extract(&mut lines, FileHint::named("a.md"), &mut |piece| {
        if let Piece::Text(text) = piece {
            furthest = given.get().abs_diff(passed).max(furthest);
            passed += text.len();
        }
        ControlFlow::Continue(())
    });
    assert!(result.is_ok(), "{result:?}");
    assert!(
        given.get() > 1 << 20 && furthest < 256 << 10,
        "held {furthest} bytes of {}",
        given.get()
    );
}

/// Files behind a password or digital rights say so.
pub fn protected_files_say_so(extractor: &dyn Extractor) {
    let mut zipped = samples::docx("");
    for at in 0..zipped.len() - 10 {
        // Sets the flag for encryption in each entry's two headers.
        let head = zipped.get(at..at + 4).unwrap();
        let flags = match head {
            b"PK\x03\x04" => at + 6,
            b"PK\x01\x02" => at + 8,
            _ => continue,
        };
        *zipped.get_mut(flags).unwrap() |= 1;
    }
    let rights = r#"<encryption><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/></encryption>"#;
    for (bytes, name) in [
        (samples::encrypted_pdf(), "a.pdf"),
        (
            samples::ole(&["Root Entry", "EncryptionInfo", "EncryptedPackage"]),
            "a.docx",
        ),
        (zipped, "a.docx"),
        (samples::epub(Some(rights)), "a.epub"),
    ] {
        let result = whole(extractor, &bytes, name);
        assert!(
            matches!(result, Err(ExtractError::Encrypted)),
            "{name}: {result:?}"
        );
    }
}

/// A scan is told from an empty file.
pub fn files_without_text_say_so(extractor: &dyn Extractor) {
    let result = whole(extractor, &samples::scan(), "a.pdf");
    assert!(matches!(result, Err(ExtractError::Scanned)), "{result:?}");
    for (bytes, name) in [
        (samples::pages(&[String::new()]), "a.pdf"),
        (samples::docx("<w:p/>"), "a.docx"),
        (samples::xlsx(""), "a.xlsx"),
        (b"<html><script>x()</script></html>".to_vec(), "a.html"),
    ] {
        let result = whole(extractor, &bytes, name);
        assert!(matches!(result, Err(ExtractError::NoText)), "{name}: {result:?}");
    }
}

/// What is known and not read is named, with what to do.
pub fn old_and_foreign_files_are_refused_with_advice(extractor: &dyn Extractor) {
    for (bytes, name, advice) in [
        (
            samples::ole(&["Root Entry", "WordDocument"]),
            "a.doc",
            "save it as .docx",
        ),
        (
            samples::ole(&["Root Entry", "Workbook"]),
            "a.xls",
            "save it as .xlsx",
        ),
        (samples::archive(&[("a.txt", "text")]), "a.docx", "unpack it"),
        (
            samples::archive(&[("mimetype", "application/vnd.oasis.opendocument.text")]),
            "a.odt",
            "save it as .docx",
        ),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), "a.pdf", "OCR"),
        (b"\x7fELF\x02\x01\x01\0\0".to_vec(), "a.txt", "a program"),
    ] {
        match whole(extractor, &bytes, name) {
            Err(error @ ExtractError::Unsupported { .. }) => {
                assert!(error.to_string().contains(advice), "{name}: {error}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// Files that are cut off or spoilt are an error that says so, or give what is left of them; none is taken for
/// something else.
pub fn damaged_files_are_called_damaged(extractor: &dyn Extractor) {
    let document = samples::docx("<w:p><w:r><w:t>text</w:t></w:r></w:p>");
    let half = |bytes: &[u8]| bytes.get(..bytes.len() / 2).unwrap().to_vec();
    let sheet = samples::xlsx(r#"<row r="1"><c r="A1"><v>1</v></row>"#);
    for (bytes, name) in [
        (half(&document), "a.docx"),
        (half(&samples::epub(None)), "a.epub"),
        (samples::docx("<w:p><w:r></w:p>"), "a.docx"),
        (sheet, "a.xlsx"),
        (b"%PDF-1.7\nnothing follows".to_vec(), "a.pdf"),
        (b"\x01\x02\x03\x04\x00".repeat(100), "a.pdf"),
    ] {
        let result = whole(extractor, &bytes, name);
        assert!(
            matches!(result, Err(ExtractError::Damaged { .. })),
            "{name}: {result:?}"
        );
    }
}

/// Files that are too large, or that unpack to too much, end with the limit that they go beyond.
pub fn files_that_grow_are_stopped(extractor: &dyn Extractor) {
    let limits = limits();
    let blanks = " ".repeat(usize::try_from(limits.unpacked_bytes).unwrap() + 1);
    let many: Vec<String> = (0..=limits.archive_parts).map(|at| format!("{at}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "")).collect();
    let wide = format!("<w:p><w:r><w:t>{}</w:t></w:r></w:p>", "a".repeat(2_100_000));
    let large = format!(
        "{{\\rtf1 {}}}",
        "a".repeat(usize::try_from(limits.file_bytes).unwrap())
    );
    for (bytes, bound) in [
        (samples::docx(&blanks), Bound::Unpacked(limits.unpacked_bytes)),
        (samples::xlsx(&blanks), Bound::Unpacked(limits.unpacked_bytes)),
        (samples::archive(&many), Bound::Parts(limits.archive_parts)),
        (samples::docx(&wide), Bound::Text(limits.text_chars)),
        (large.into_bytes(), Bound::File(limits.file_bytes)),
    ] {
        match whole(extractor, &bytes, "a") {
            Err(ExtractError::TooLarge(found)) => assert_eq!(found, bound),
            other => panic!("{bound}: {:?}", other.map(|(extracted, _)| extracted)),
        }
    }
}

/// Nesting without end, entities that multiply, and references that lead back to themselves come to an end.
pub fn files_that_nest_or_loop_come_to_an_end(extractor: &dyn Extractor) {
    let deep = "<w:p>".repeat(100_000);
    let result = whole(extractor, &samples::docx(&deep), "a.docx");
    assert!(
        matches!(result, Err(ExtractError::TooLarge(Bound::Depth(200)))),
        "{result:?}"
    );
    let laughs =
        r#"<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><d>&c;</d>"#;
    let result = whole(extractor, &samples::docx_of(laughs), "a.docx");
    assert!(matches!(result, Err(ExtractError::Damaged { .. })), "{result:?}");

    let html = format!("<html>{}bottom", "<div><b>".repeat(100_000));
    assert_eq!(ok(extractor, html.as_bytes(), "a.html").1.text, "bottom");

    let catalog = b"<< /Type /Catalog /Pages 2 0 R >>".to_vec();
    let nested = format!("<< /Type /Pages /Count 1 /Kids {} >>", "[".repeat(100_000));
    for pdf in [
        samples::pdf(
            &[
                catalog.clone(),
                b"<< /Type /Pages /Count 9 /Kids [2 0 R 2 0 R] >>".to_vec(),
            ],
            "",
        ),
        samples::pdf(&[catalog.clone(), b"2 0 R".to_vec()], ""),
        samples::pdf(&[catalog.clone(), nested.into_bytes()], ""),
        samples::pdf(&[catalog], "/Prev 9"),
    ] {
        let result = whole(extractor, &pdf, "a.pdf");
        assert!(
            matches!(result, Err(ExtractError::Damaged { .. } | ExtractError::NoText)),
            "{result:?}"
        );
    }
}

fn markdown(media_type: MediaType, title: Option<String>, pages: u32) -> Extracted {
    Extracted {
        media_type,
        format: TextFormat::Markdown,
        title,
        pages,
    }
}

fn ok(extractor: &dyn Extractor, bytes: &[u8], name: &str) -> (Extracted, Gathered) {
    match whole(extractor, bytes, name) {
        Ok(read) => read,
        Err(error) => panic!("{name}: {error}"),
    }
}

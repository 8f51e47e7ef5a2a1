//! Files of every kind, made here so that nothing is copied from anywhere.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A ZIP archive of `parts`: paths with contents.
pub fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in parts {
        archive.start_file(*path, SimpleFileOptions::default()).unwrap();
        archive.write_all(content.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const TITLE: &str =
    r#"<cp:coreProperties xmlns:cp="c" xmlns:dc="d"><dc:title>The title</dc:title></cp:coreProperties>"#;

fn types(main: &str, kind: &str) -> String {
    format!(
        r#"<Types><Override PartName="/{main}" ContentType="application/vnd.openxmlformats-officedocument.{kind}.main+xml"/></Types>"#
    )
}

fn relations(list: &[(&str, &str, &str)]) -> String {
    let each = list.iter().map(|(id, kind, target)| {
        format!(r#"<Relationship Id="{id}" Type="{OFFICE}/{kind}" Target="{target}"/>"#)
    });
    format!("<Relationships>{}</Relationships>", each.collect::<String>())
}

/// A Word document with this XML as its body.
pub fn docx(body: &str) -> Vec<u8> {
    docx_of(&format!(
        r#"<?xml version="1.0"?><w:document xmlns:w="w"><w:body>{body}</w:body></w:document>"#
    ))
}

/// A Word document with this as its main part.
pub fn docx_of(document: &str) -> Vec<u8> {
    let styles = r#"<w:styles><w:style w:styleId="H2"><w:name w:val="heading 2"/></w:style>
        <w:style w:styleId="Child"><w:basedOn w:val="H2"/></w:style></w:styles>"#;
    let numbering = r#"<w:numbering><w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/></w:lvl>
        </w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num></w:numbering>"#;
    let notes = r#"<w:footnotes><w:footnote w:id="0" w:type="separator"><w:p/></w:footnote>
        <w:footnote w:id="2"><w:p><w:r><w:t>A note.</w:t></w:r></w:p></w:footnote></w:footnotes>"#;
    let related = [
        ("r1", "styles", "styles.xml"),
        ("r2", "numbering", "numbering.xml"),
        ("r3", "footnotes", "footnotes.xml"),
    ];
    archive(&[
        (
            "[Content_Types].xml",
            &types("word/document.xml", "wordprocessingml.document"),
        ),
        ("word/document.xml", document),
        ("word/_rels/document.xml.rels", &relations(&related)),
        ("word/styles.xml", styles),
        ("word/numbering.xml", numbering),
        ("word/footnotes.xml", notes),
        ("docProps/core.xml", TITLE),
    ])
}

/// A presentation whose second slide stands first in its archive.
pub fn pptx() -> Vec<u8> {
    let slide = |title: &str, body: &str| {
        format!(
            r#"<p:sld xmlns:p="p" xmlns:a="a"><p:cSld><p:spTree><p:sp><p:nvSpPr><p:nvPr><p:ph type="title"/></p:nvPr></p:nvSpPr>
            <p:txBody><a:p><a:r><a:t>{title}</a:t></a:r></a:p></p:txBody></p:sp>{body}</p:spTree></p:cSld></p:sld>"#
        )
    };
    let points = r#"<p:sp><p:nvSpPr><p:nvPr><p:ph idx="1"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>Point</a:t></a:r></a:p>
        <a:p><a:pPr lvl="1"/><a:r><a:t>Deeper</a:t></a:r></a:p></p:txBody></p:sp>"#;
    let table = "<p:graphicFrame><a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>A</a:t></a:r></a:p></a:txBody></a:tc>\
        <a:tc><a:txBody><a:p><a:r><a:t>B</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl></p:graphicFrame>";
    let notes = r#"<p:notes><p:sp><p:nvPr><p:ph type="sldNum"/></p:nvPr><p:txBody><a:p><a:r><a:t>1</a:t></a:r></a:p></p:txBody></p:sp>
        <p:sp><p:nvPr><p:ph type="body"/></p:nvPr><p:txBody><a:p><a:r><a:t>Say hello.</a:t></a:r></a:p></p:txBody></p:sp></p:notes>"#;
    archive(&[
        (
            "[Content_Types].xml",
            &types("ppt/presentation.xml", "presentationml.presentation"),
        ),
        ("ppt/slides/slide2.xml", &slide("Second", table)),
        ("ppt/slides/slide1.xml", &slide("First", points)),
        (
            "ppt/slides/_rels/slide1.xml.rels",
            &relations(&[("r1", "notesSlide", "../notesSlides/n.xml")]),
        ),
        ("ppt/notesSlides/n.xml", notes),
        (
            "ppt/presentation.xml",
            r#"<p:presentation xmlns:r="r"><p:sldIdLst><p:sldId id="256" r:id="a"/><p:sldId id="257" r:id="b"/></p:sldIdLst></p:presentation>"#,
        ),
        (
            "ppt/_rels/presentation.xml.rels",
            &relations(&[
                ("b", "slide", "slides/slide2.xml"),
                ("a", "slide", "slides/slide1.xml"),
            ]),
        ),
    ])
}

/// A workbook with dates, a far cell and a hidden sheet; `rows` is the first sheet's data.
pub fn xlsx(rows: &str) -> Vec<u8> {
    let sheet = |rows: &str| {
        format!(
            r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
        )
    };
    archive(&[
        (
            "[Content_Types].xml",
            &types("xl/workbook.xml", "spreadsheetml.sheet"),
        ),
        (
            "_rels/.rels",
            &relations(&[("r1", "officeDocument", "xl/workbook.xml")]),
        ),
        (
            "xl/workbook.xml",
            r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Prices" sheetId="1" r:id="a"/><sheet name="Secret" sheetId="2" state="hidden" r:id="b"/></sheets></workbook>"#,
        ),
        (
            "xl/_rels/workbook.xml.rels",
            &relations(&[
                ("a", "worksheet", "worksheets/sheet1.xml"),
                ("b", "worksheet", "worksheets/sheet2.xml"),
                ("c", "styles", "styles.xml"),
            ]),
        ),
        (
            "xl/styles.xml",
            r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>"#,
        ),
        ("xl/worksheets/sheet1.xml", &sheet(rows)),
        (
            "xl/worksheets/sheet2.xml",
            &sheet(r#"<row r="1"><c r="A1" t="inlineStr"><is><t>hidden words</t></is></c></row>"#),
        ),
    ])
}

/// The rows of a small price list.
pub const PRICES: &str = r#"<row r="1"><c r="A1" t="inlineStr"><is><t>Item</t></is></c><c r="B1" t="inlineStr"><is><t>Price</t></is></c><c r="C1" t="inlineStr"><is><t>Since</t></is></c></row>
    <row r="2"><c r="A2" t="inlineStr"><is><t>Bolt</t></is></c><c r="B2"><v>0.2</v></c><c r="C2" s="1"><v>46083</v></c></row>
    <row r="9"><c r="A9" t="inlineStr"><is><t>Nut</t></is></c><c r="XFD9" t="b"><v>1</v></c></row>"#;

/// A book of two chapters; `encryption` is the part that lists what is encrypted.
pub fn epub(encryption: Option<&str>) -> Vec<u8> {
    let mut parts = vec![
        ("mimetype", "application/epub+zip"),
        (
            "META-INF/container.xml",
            r#"<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>"#,
        ),
        (
            "OPS/book.opf",
            r#"<package xmlns:dc="d"><metadata><dc:title>The title</dc:title></metadata><manifest>
            <item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
            <item id="two" href="text/two.xhtml" media-type="application/xhtml+xml"/>
            <item id="one" href="text/chapter%201.xhtml" media-type="application/xhtml+xml"/></manifest>
            <spine><itemref idref="n"/><itemref idref="one"/><itemref idref="two"/><itemref idref="two"/></spine></package>"#,
        ),
        ("OPS/nav.xhtml", "<html><body>Contents</body></html>"),
        (
            "OPS/text/chapter 1.xhtml",
            "<html><head><title/></head><body><h1>One</h1><p>It was a dark night.</p></body></html>",
        ),
        (
            "OPS/text/two.xhtml",
            "<html><body><h1>Two</h1><p>It was day.</p></body></html>",
        ),
    ];
    parts.extend(encryption.map(|encryption| ("META-INF/encryption.xml", encryption)));
    archive(&parts)
}

/// The beginning of an OLE container with a directory of these names.
pub fn ole(streams: &[&str]) -> Vec<u8> {
    let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    bytes.resize(512, 0);
    for name in streams {
        let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        entry.resize(128, 0);
        bytes.extend(entry);
    }
    bytes
}

/// A PDF of these objects, numbered from 1; the first is the catalog. `trailer` is added to the trailer.
pub fn pdf(objects: &[Vec<u8>], trailer: &str) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut places = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        places.push(file.len());
        writeln!(file, "{} 0 obj", at + 1).unwrap();
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let start = file.len();
    write!(file, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).unwrap();
    for place in places {
        writeln!(file, "{place:010} 00000 n ").unwrap();
    }
    write!(
        file,
        "trailer\n<< /Size {} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n",
        objects.len() + 1
    )
    .unwrap();
    file
}

/// A stream with its dictionary's entries.
pub fn stream(entries: &str, content: &[u8]) -> Vec<u8> {
    let mut object = format!("<< /Length {} {entries} >>\nstream\n", content.len()).into_bytes();
    object.extend(content);
    object.extend(b"\nendstream");
    object
}

/// The map by which the letters from `A` on mean those of the Hebrew alphabet.
const HEBREW: &str = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def\n\
    1 begincodespacerange <00> <FF> endcodespacerange\n2 beginbfrange <41> <5B> <05D0> <20> <3F> <0020> endbfrange\n\
    endcmap end end";

/// A PDF with a page for each content stream, in Helvetica (`F1`) and with Hebrew letters (`F2`).
pub fn pages(contents: &[String]) -> Vec<u8> {
    pages_with(contents, "", "")
}

/// As [`pages`], with more for the trailer and for each page's resources.
pub fn pages_with(contents: &[String], trailer: &str, resources: &str) -> Vec<u8> {
    let kids: Vec<String> = (0..contents.len())
        .map(|at| format!("{} 0 R", 6 + at * 2))
        .collect();
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!(
            "<< /Type /Pages /Count {} /Kids [{}] >>",
            kids.len(),
            kids.join(" ")
        )
        .into_bytes(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_vec(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 5 0 R >>".to_vec(),
        stream("", HEBREW.as_bytes()),
    ];
    for (at, content) in contents.iter().enumerate() {
        objects.push(
            format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {} 0 R \
                 /Resources << /Font << /F1 3 0 R /F2 4 0 R >> {resources} >> >>",
                7 + at * 2
            )
            .into_bytes(),
        );
        objects.push(stream("", content.as_bytes()));
    }
    pdf(&objects, trailer)
}

/// What draws a line of text at a place, in points from the lower left.
pub fn shown(font: &str, size: u32, x: u32, y: u32, text: &str) -> String {
    format!("BT /{font} {size} Tf {x} {y} Td ({text}) Tj ET\n")
}

/// An article: a heading across the page, two columns whose lines are drawn in turn, and on the second page a table.
pub fn article() -> Vec<u8> {
    let mut first = shown("F1", 20, 50, 780, "On columns");
    for at in 0..6_u32 {
        let y = 740 - at * 14;
        first += &shown(
            "F1",
            10,
            50,
            y,
            &format!("left line {at} goes on to the end of its column"),
        );
        first += &shown(
            "F1",
            10,
            320,
            y,
            &format!("right line {at} goes on to the end of its column"),
        );
    }
    let mut second = shown(
        "F1",
        10,
        50,
        780,
        "The prices are these, and they hold until the end of the year.",
    );
    for (at, (item, price)) in [("Item", "Price"), ("Bolt", "0.20"), ("Nut", "0.10")]
        .into_iter()
        .enumerate()
    {
        let y = 740 - u32::try_from(at).unwrap() * 14;
        second += &shown("F1", 10, 50, y, item);
        second += &shown("F1", 10, 200, y, price);
    }
    pages_with(&[first, second], "/Info << /Title (The title) >>", "")
}

/// A page in Hebrew, drawn from left to right as most programs do; it says "shalom olam 12.50".
pub fn hebrew() -> Vec<u8> {
    pages(&[shown("F2", 12, 300, 700, "12.50 NMFS NFMZ")])
}

/// A page that is nothing but an image.
pub fn scan() -> Vec<u8> {
    let image = stream(
        "/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8",
        b"x",
    );
    pdf(
        &[
            b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>".to_vec(),
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >> >>"
                .to_vec(),
            stream("", b"9 0 0 9 0 0 cm /I Do"),
            image,
        ],
        "",
    )
}

/// A PDF that asks for a password.
pub fn encrypted_pdf() -> Vec<u8> {
    let secret = "ab".repeat(32);
    let encrypt = format!(
        "/ID [<{0}> <{0}>] /Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O <{secret}> /U <{secret}> >>",
        "cd".repeat(16)
    );
    pages_with(&[shown("F1", 10, 50, 700, "secret")], &encrypt, "")
}

//! Presentations (ECMA-376 part 1, clause 19): the slides in their order, with tables and notes.

use tenantry_domain::{MediaType, TextFormat};

use super::parts::{Opens, relations, title};
use crate::markdown::{heading, list_item, one_line, table};
use crate::out::Out;
use crate::package::Package;
use crate::xml::{self, Attributes, Visitor};
use crate::{ExtractError, Extracted, Limits};

pub(super) fn read(
    package: &mut Package<'_>,
    main: &str,
    limits: &Limits,
    out: &mut Out<'_, '_>,
) -> Result<Extracted, ExtractError> {
    let title = title(package, "docProps/core.xml", limits)?;
    for path in slides(package, main, limits)? {
        out.page()?;
        let mut slide = Slide::new(out, Kind::Slide);
        if let Some(part) = package.part(&path)? {
            xml::walk(part, limits, &mut slide)?;
        }
        for relation in relations(package, &path, limits)?.into_values() {
            let is_notes = relation.kind == "notesSlide";
            if let Some(part) = package.part(&relation.path)?.filter(|_| is_notes) {
                xml::walk(part, limits, &mut Slide::new(out, Kind::Notes))?;
            }
        }
    }
    Ok(Extracted {
        media_type: MediaType::Pptx,
        format: TextFormat::Markdown,
        title,
        pages: out.pages(),
    })
}

/// The slides' paths in the order of the presentation.
fn slides(package: &mut Package<'_>, main: &str, limits: &Limits) -> Result<Vec<String>, ExtractError> {
    let mut relations = relations(package, main, limits)?;
    let mut ids = Vec::new();
    let mut visitor = Opens(|name: &str, attributes: Attributes<'_>| {
        if name == "sldId" {
            ids.extend(attributes.prefixed("id"));
        }
    });
    let part = package
        .part(main)?
        .ok_or_else(|| ExtractError::damaged("the list of slides is missing"))?;
    xml::walk(part, limits, &mut visitor)?;
    // A slide that is named twice is read once, or a small file could become a large one.
    let slides = ids.into_iter().filter_map(|id| relations.remove(&id));
    Ok(slides.map(|relation| relation.path).collect())
}

/// What is read: a slide, or what its speaker noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Slide,
    Notes,
}

/// What a shape is for, by its placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Title,
    Body,
    /// A text box, or a placeholder for anything.
    Other,
    /// The number, the date or the footer of the slide.
    Frame,
}

struct Slide<'o, 's, 'f> {
    out: &'o mut Out<'s, 'f>,
    kind: Kind,
    shape: Shape,
    in_text: bool,
    in_body: bool,
    text: String,
    depth: usize,
    /// What the paragraph says of its mark: none, or one of its own.
    marked: Option<bool>,
    rows: Option<Vec<Vec<String>>>,
    wrote_notes: bool,
}

impl<'o, 's, 'f> Slide<'o, 's, 'f> {
    fn new(out: &'o mut Out<'s, 'f>, kind: Kind) -> Self {
        Self {
            out,
            kind,
            shape: Shape::Other,
            in_text: false,
            in_body: false,
            text: String::new(),
            depth: 0,
            marked: None,
            rows: None,
            wrote_notes: false,
        }
    }

    fn end_paragraph(&mut self) -> Result<(), ExtractError> {
        let text = std::mem::take(&mut self.text);
        let cell = self
            .rows
            .as_mut()
            .and_then(|rows| rows.last_mut())
            .and_then(|row| row.last_mut());
        if let Some(cell) = cell {
            cell.push(' ');
            cell.push_str(&text);
            return Ok(());
        }
        let text = text.trim();
        if text.is_empty() || !self.in_body {
            return Ok(());
        }
        if self.kind == Kind::Notes {
            return self.note(text);
        }
        match (self.shape, self.marked) {
            (Shape::Title, _) => heading(self.out, 1, text),
            (Shape::Frame, _) => Ok(()),
            (Shape::Body, None) | (_, Some(true)) => list_item(self.out, self.depth, "-", text),
            (Shape::Body | Shape::Other, _) => self.out.block(text),
        }
    }

    fn note(&mut self, text: &str) -> Result<(), ExtractError> {
        match self.shape {
            Shape::Body if self.wrote_notes => self.out.line(text),
            Shape::Body => {
                self.wrote_notes = true;
                self.out.block(&format!("Notes: {}", one_line(text)))
            }
            _ => Ok(()),
        }
    }

    fn open_in_table(&mut self, name: &str) {
        match (name, &mut self.rows) {
            ("tbl", rows) => *rows = Some(Vec::new()),
            ("tr", Some(rows)) => rows.push(Vec::new()),
            ("tc", Some(rows)) => {
                if let Some(row) = rows.last_mut() {
                    row.push(String::new());
                }
            }
            _ => {}
        }
    }
}

impl Visitor for Slide<'_, '_, '_> {
    fn open(&mut self, name: &str, attributes: Attributes<'_>) -> Result<(), ExtractError> {
        match name {
            "sp" | "graphicFrame" => {
                self.shape = Shape::Other;
                self.out.end_block()?;
            }
            "ph" => {
                self.shape = match attributes.get("type").as_deref() {
                    Some("title" | "ctrTitle") => Shape::Title,
                    Some("sldNum" | "dt" | "ftr" | "hdr") => Shape::Frame,
                    Some("body" | "obj") | None => Shape::Body,
                    Some(_) => Shape::Other,
                }
            }
            "txBody" => self.in_body = true,
            "p" => {
                self.text.clear();
                self.depth = 0;
                self.marked = None;
            }
            "pPr" => {
                self.depth = attributes
                    .get("lvl")
                    .and_then(|depth| depth.parse().ok())
                    .unwrap_or(0);
            }
            "buNone" => self.marked = Some(false),
            "buChar" | "buAutoNum" | "buBlip" => self.marked = Some(true),
            "t" => self.in_text = true,
            "br" => self.text.push('\n'),
            _ => self.open_in_table(name),
        }
        Ok(())
    }

    fn close(&mut self, name: &str) -> Result<(), ExtractError> {
        match name {
            "t" => self.in_text = false,
            "txBody" => self.in_body = false,
            "p" => self.end_paragraph()?,
            "tbl" => {
                let rows = self.rows.take().unwrap_or_default();
                table(self.out, &rows)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), ExtractError> {
        if self.in_text {
            self.text.push_str(text);
        }
        Ok(())
    }
}

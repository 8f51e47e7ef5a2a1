//! Writes a page in the order of reading.

use super::glyphs::Glyph;
use super::leaf::{Block, Line, blocks};
use super::sizes::Sizes;
use super::{bidi, columns, rows};
use crate::ExtractError;
use crate::markdown::{heading, table};
use crate::out::Out;

/// Lines further apart than this, in usual distances, are of two paragraphs.
const PARAGRAPH_GAP: f64 = 1.3;
/// The longest heading, in characters.
const LONGEST_HEADING: usize = 200;

pub(super) fn write(
    directions: Vec<Vec<Glyph>>,
    sizes: &Sizes,
    out: &mut Out<'_, '_>,
) -> Result<(), ExtractError> {
    for glyphs in directions {
        let segments = rows::segments(glyphs);
        let all: String = segments.iter().map(|segment| segment.text.as_str()).collect();
        let right_to_left = bidi::is_right_to_left(&all);
        for region in columns::regions(segments, right_to_left) {
            for block in blocks(region, right_to_left) {
                match block {
                    Block::Lines(lines) => paragraphs(&lines, sizes, right_to_left, out)?,
                    Block::Table(cells) => {
                        table(out, &cells)?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// How a line goes on from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joint {
    Space,
    Line,
    Paragraph,
}

fn paragraphs(
    lines: &[Line],
    sizes: &Sizes,
    right_to_left: bool,
    out: &mut Out<'_, '_>,
) -> Result<(), ExtractError> {
    let region = Region::of(lines, right_to_left);
    let mut paragraph = String::new();
    let mut level = None;
    let mut previous: Option<&Line> = None;
    for line in lines {
        let joint = previous.map_or(Joint::Paragraph, |previous| region.joint(previous, line));
        if joint == Joint::Paragraph {
            put(&paragraph, level, out)?;
            paragraph.clear();
            level = sizes.level(line.size());
        }
        append(&mut paragraph, &line.text(), joint);
        previous = Some(line);
    }
    put(&paragraph, level, out)
}

fn put(paragraph: &str, level: Option<usize>, out: &mut Out<'_, '_>) -> Result<(), ExtractError> {
    let is_heading =
        paragraph.chars().count() <= LONGEST_HEADING && paragraph.chars().any(char::is_alphabetic);
    match level.filter(|_| is_heading) {
        Some(level) => heading(out, level, paragraph),
        None => out.block(paragraph),
    }
}

/// What the lines of a region have in common.
struct Region {
    /// The usual distance of lines.
    pitch: f64,
    /// Where the lines end at the latest.
    edge: f64,
    right_to_left: bool,
}

impl Region {
    fn of(lines: &[Line], right_to_left: bool) -> Self {
        let mut gaps: Vec<f64> = lines
            .iter()
            .zip(lines.iter().skip(1))
            .map(|(above, below)| below.base() - above.base())
            .filter(|gap| *gap > 0.0)
            .collect();
        gaps.sort_by(f64::total_cmp);
        let edge = if right_to_left {
            lines.iter().map(Line::left).fold(f64::INFINITY, f64::min)
        } else {
            lines.iter().map(Line::right).fold(f64::NEG_INFINITY, f64::max)
        };
        Self {
            pitch: gaps.get(gaps.len() / 2).copied().unwrap_or(0.0),
            edge,
            right_to_left,
        }
    }

    fn joint(&self, above: &Line, below: &Line) -> Joint {
        let gap = below.base() - above.base();
        let (larger, smaller) = (above.size().max(below.size()), above.size().min(below.size()));
        let apart = gap > self.pitch.max(smaller) * PARAGRAPH_GAP || gap < 0.0 || larger > smaller * 1.1;
        if apart {
            Joint::Paragraph
        } else if below.is_point() || self.had_room(above, below) {
            Joint::Line
        } else {
            Joint::Space
        }
    }

    /// Whether the first word of a line would have had room above, so that it was put below on purpose.
    fn had_room(&self, above: &Line, below: &Line) -> bool {
        let text = below.text();
        let count = |text: &str| f64::from(u32::try_from(text.chars().count()).unwrap_or(u32::MAX));
        let word = count(text.split(' ').next().unwrap_or_default());
        let needed = (below.right() - below.left()) * word / count(&text).max(1.0) + above.size() * 0.5;
        let end = if self.right_to_left {
            above.left()
        } else {
            above.right()
        };
        (self.edge - end).abs() > needed
    }
}

/// Appends a line, and puts a word together that was divided for want of room.
fn append(paragraph: &mut String, line: &str, joint: Joint) {
    let goes_on = line.chars().next().is_some_and(char::is_lowercase);
    match joint {
        Joint::Space if goes_on && is_divided(paragraph) => {
            paragraph.pop();
        }
        Joint::Space => paragraph.push(' '),
        Joint::Line => paragraph.push('\n'),
        Joint::Paragraph => {}
    }
    paragraph.push_str(line);
}

fn is_divided(paragraph: &str) -> bool {
    let mut end = paragraph.chars().rev();
    matches!(end.next(), Some('-' | '\u{2010}')) && end.next().is_some_and(char::is_alphabetic)
}

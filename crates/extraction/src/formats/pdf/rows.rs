use super::bidi;
use super::glyphs::Glyph;

/// How far apart, in sizes of type, characters on one line stand on lines of their own; raised figures do not.
const SAME_ROW: f64 = 0.45;
/// The gap between words, in sizes of type.
const WORD_GAP: f64 = 0.16;
/// The gap between columns, in sizes of type.
const COLUMN_GAP: f64 = 0.85;

/// A stretch of a row without a gap that could part columns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Segment {
    pub(super) text: String,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) base: f64,
    pub(super) size: f64,
}

impl Segment {
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    /// Whether two segments stand on one line.
    pub(super) fn beside(&self, other: &Self) -> bool {
        (self.base - other.base).abs() < SAME_ROW * self.size.max(other.size)
    }
}

/// The segments of a page from top to bottom; within a row from left to right.
pub(super) fn segments(mut glyphs: Vec<Glyph>) -> Vec<Segment> {
    glyphs.sort_by(|a, b| a.base.total_cmp(&b.base));
    let mut segments = Vec::new();
    let mut row: Vec<Glyph> = Vec::new();
    let mut row_size = 0.0_f64;
    for glyph in glyphs {
        let same = row
            .first()
            .is_some_and(|first| glyph.base - first.base < SAME_ROW * row_size.max(glyph.size));
        if !same {
            segments.extend(parts(std::mem::take(&mut row)));
            row_size = 0.0;
        }
        row_size = row_size.max(glyph.size);
        row.push(glyph);
    }
    segments.extend(parts(row));
    segments
}

/// Parts a row at its wide gaps.
fn parts(mut row: Vec<Glyph>) -> Vec<Segment> {
    row.sort_by(|a, b| a.left.total_cmp(&b.left));
    let mut parts = Vec::new();
    let mut part: Vec<Glyph> = Vec::new();
    for glyph in joined_marks(row) {
        let last = part.iter().rev().find(|glyph| !glyph.is_blank());
        let wide = last.is_some_and(|last| glyph.left - last.right > COLUMN_GAP * last.size.max(glyph.size));
        if wide && !glyph.is_blank() {
            parts.extend(segment(&part));
            part.clear();
        }
        let twice = part.last().is_some_and(|last| {
            last.text == glyph.text && (last.left - glyph.left).abs() < 0.1 * glyph.size && !glyph.is_blank()
        });
        // Drawing a letter twice, a little aside, is how some make it bold.
        if !twice {
            part.push(glyph);
        }
    }
    parts.extend(segment(&part));
    parts
}

/// Puts each accent that is drawn on its own behind the letter that it stands over. The row is in order.
fn joined_marks(row: Vec<Glyph>) -> Vec<Glyph> {
    let (marks, mut letters): (Vec<_>, Vec<_>) = row.into_iter().partition(Glyph::is_mark);
    for mark in marks {
        let middle = f64::midpoint(mark.left, mark.right);
        let after = letters.partition_point(|letter| letter.left <= middle);
        if let Some(letter) = letters.get_mut(after.saturating_sub(1)) {
            letter.text.push_str(&mark.text);
        }
    }
    letters
}

fn segment(part: &[Glyph]) -> Option<Segment> {
    let mut cells: Vec<String> = Vec::with_capacity(part.len());
    let mut previous: Option<&Glyph> = None;
    let mut blank = false;
    let mut size = 0.0_f64;
    let mut base = 0.0;
    let mut left = f64::INFINITY;
    for glyph in part {
        if glyph.is_blank() {
            blank = true;
            continue;
        }
        if let Some(previous) = previous {
            let gap = glyph.left - previous.right;
            if blank || gap > WORD_GAP * previous.size.max(glyph.size) {
                cells.push(" ".to_owned());
            }
        }
        if glyph.size > size {
            (size, base) = (glyph.size, glyph.base);
        }
        left = left.min(glyph.left);
        cells.push(glyph.text.clone());
        (previous, blank) = (Some(glyph), false);
    }
    let right = previous?.right;
    Some(Segment {
        text: bidi::logical(&cells),
        left,
        right: right.max(left),
        base,
        size,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glyph(text: &str, left: f64, base: f64) -> Glyph {
        Glyph {
            text: text.to_owned(),
            left,
            right: left + 5.0,
            base,
            size: 10.0,
        }
    }

    #[test]
    fn gaps_part_words_and_columns() {
        let row = vec![
            glyph("b", 7.5, 100.0),
            glyph("a", 0.0, 100.0),
            glyph("2", 12.5, 96.0),
            glyph("c", 60.0, 100.0),
        ];
        let texts: Vec<String> = segments(row).into_iter().map(|segment| segment.text).collect();
        assert_eq!(texts, ["a b2", "c"]);
    }

    #[test]
    fn a_letter_that_is_drawn_twice_is_read_once() {
        let row = vec![glyph("l", 0.0, 0.0), glyph("l", 0.3, 0.0), glyph("l", 5.0, 0.0)];
        assert_eq!(segments(row).first().map(|s| s.text.as_str()), Some("ll"));
    }
}

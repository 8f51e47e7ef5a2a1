//! Lines of a region: paragraphs, headings, points of lists and rows of tables.

use super::rows::Segment;

/// What stands on one line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) segments: Vec<Segment>,
}

impl Line {
    pub(super) fn left(&self) -> f64 {
        self.segments.iter().map(|s| s.left).fold(f64::INFINITY, f64::min)
    }

    pub(super) fn right(&self) -> f64 {
        self.segments
            .iter()
            .map(|s| s.right)
            .fold(f64::NEG_INFINITY, f64::max)
    }

    pub(super) fn base(&self) -> f64 {
        self.segments.first().map_or(0.0, |s| s.base)
    }

    /// The size of most of the line.
    pub(super) fn size(&self) -> f64 {
        let longest = self.segments.iter().max_by_key(|segment| segment.text.len());
        longest.map_or(0.0, |segment| segment.size)
    }

    pub(super) fn text(&self) -> String {
        let texts: Vec<&str> = self.segments.iter().map(|s| s.text.as_str()).collect();
        texts.join(" ")
    }

    pub(super) fn is_point(&self) -> bool {
        let text = self.text();
        let (mark, rest) = text.split_once(' ').unwrap_or((&text, ""));
        is_mark(mark) && !rest.is_empty()
    }
}

/// Lines from top to bottom, or parts of a table.
#[derive(Debug, PartialEq)]
pub(super) enum Block {
    Lines(Vec<Line>),
    Table(Vec<Vec<String>>),
}

/// Whether a word marks a point of a list: a bullet, or a number or letter with a full stop or a bracket.
pub(super) fn is_mark(word: &str) -> bool {
    let bullet = matches!(
        word,
        "\u{2022}"
            | "\u{25aa}"
            | "\u{25cf}"
            | "\u{25e6}"
            | "\u{2013}"
            | "\u{2023}"
            | "\u{25a0}"
            | "\u{2043}"
            | "-"
            | "*"
            | "o"
    );
    let inner = word.trim_start_matches('(').trim_end_matches(['.', ')']);
    let short = inner.chars().count() <= 2 && !inner.is_empty();
    let numbered =
        inner.chars().all(|c| c.is_ascii_digit()) || inner.chars().count() == 1 && inner.is_ascii();
    bullet || (word.ends_with(['.', ')']) && short && numbered)
}

/// Joins a region's segments into lines and finds its tables.
pub(super) fn blocks(segments: Vec<Segment>, right_to_left: bool) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines: Vec<Line> = Vec::new();
    let mut rest = lines_of(segments, right_to_left).into_iter().peekable();
    while let Some(line) = rest.next() {
        if line.segments.len() < 2 {
            lines.push(line);
            continue;
        }
        let mut run = vec![line];
        let goes_on = |run: &[Line], next: &Line| {
            let near = run
                .last()
                .is_some_and(|last| next.base() - last.base() < 3.0 * last.size().max(next.size()));
            near && (next.segments.len() > 1 || continues(run, next))
        };
        while let Some(next) = rest.next_if(|next| goes_on(&run, next)) {
            run.push(next);
        }
        match table(&run, right_to_left) {
            Some(rows) => {
                if !lines.is_empty() {
                    blocks.push(Block::Lines(std::mem::take(&mut lines)));
                }
                blocks.push(Block::Table(rows));
            }
            None => lines.extend(run),
        }
    }
    if !lines.is_empty() {
        blocks.push(Block::Lines(lines));
    }
    blocks
}

/// Whether a line with one segment is the rest of a cell: close below, and not at the beginning of the row.
fn continues(run: &[Line], next: &Line) -> bool {
    let Some(last) = run.last() else {
        return false;
    };
    let below = next.base() - last.base() < 1.5 * last.size();
    let under = last.segments.iter().skip(1).any(|cell| {
        let shared = cell.right.min(next.right()) - cell.left.max(next.left());
        shared > 0.0
    });
    below && under && next.left() > last.segments.first().map_or(0.0, |first| first.right)
}

fn lines_of(segments: Vec<Segment>, right_to_left: bool) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for segment in segments {
        match lines.last_mut() {
            Some(line) if line.segments.iter().all(|other| other.beside(&segment)) => {
                line.segments.push(segment);
            }
            _ => lines.push(Line {
                segments: vec![segment],
            }),
        }
    }
    for line in &mut lines {
        line.segments.sort_by(|a, b| a.left.total_cmp(&b.left));
        if right_to_left {
            line.segments.reverse();
        }
        join_mark(line);
    }
    lines
}

/// A bullet with its gap is part of the line, and no cell.
fn join_mark(line: &mut Line) {
    let has_mark = line.segments.first().is_some_and(|first| is_mark(&first.text));
    if !has_mark || line.segments.len() < 2 {
        return;
    }
    let mark = line.segments.remove(0);
    if let Some(first) = line.segments.first_mut() {
        first.text = format!("{} {}", mark.text, first.text);
        first.left = first.left.min(mark.left);
        first.right = first.right.max(mark.right);
    }
}

/// The cells of lines that stand in columns; `None` where they do not.
fn table(lines: &[Line], right_to_left: bool) -> Option<Vec<Vec<String>>> {
    if lines.len() < 2 {
        return None;
    }
    let mut columns = columns(lines);
    if right_to_left {
        columns.reverse();
    }
    if columns.len() < 2 {
        return None;
    }
    let mut rows: Vec<Vec<String>> = Vec::new();
    for line in lines {
        let row = cells(line, &columns)?;
        let begins = row.first().is_some_and(|cell| !cell.is_empty());
        match rows.last_mut().filter(|_| !begins && line.segments.len() == 1) {
            Some(above) => {
                for (cell, more) in above.iter_mut().zip(row).filter(|(_, more)| !more.is_empty()) {
                    cell.push(' ');
                    cell.push_str(&more);
                }
            }
            None => rows.push(row),
        }
    }
    let full = rows
        .iter()
        .filter(|row| row.iter().filter(|cell| !cell.is_empty()).count() > 1)
        .count();
    (full > 1 && full * 2 >= rows.len() && !is_numbered(&rows)).then_some(rows)
}

/// The texts of a line by the columns that they stand in; `None` where one stands in none.
fn cells(line: &Line, columns: &[(f64, f64)]) -> Option<Vec<String>> {
    let mut cells = vec![String::new(); columns.len()];
    for segment in &line.segments {
        let middle = f64::midpoint(segment.left, segment.right);
        let column = columns
            .iter()
            .position(|(left, right)| *left <= middle && middle <= *right)?;
        let cell = cells.get_mut(column)?;
        if !cell.is_empty() {
            cell.push(' ');
        }
        cell.push_str(&segment.text);
    }
    Some(cells)
}

/// Whether rows are the points of a list: their numbers, one after the other, and a text.
fn is_numbered(rows: &[Vec<String>]) -> bool {
    let numbers: Option<Vec<u32>> = rows.iter().map(|row| row.first()?.parse().ok()).collect();
    let pairs = rows.iter().all(|row| row.len() == 2);
    numbers.is_some_and(|numbers| pairs && numbers.windows(2).all(|two| matches!(two, [a, b] if a + 1 == *b)))
}

/// The extents of the columns that segments share, from left to right.
fn columns(lines: &[Line]) -> Vec<(f64, f64)> {
    let mut extents: Vec<(f64, f64)> = lines
        .iter()
        .flat_map(|line| line.segments.iter().map(|segment| (segment.left, segment.right)))
        .collect();
    extents.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut columns: Vec<(f64, f64)> = Vec::new();
    for (left, right) in extents {
        match columns.last_mut() {
            Some(column) if left <= column.1 => column.1 = column.1.max(right),
            _ => columns.push((left, right)),
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(text: &str, left: f64, base: f64) -> Segment {
        let letters = u32::try_from(text.len()).unwrap();
        Segment {
            text: text.to_owned(),
            left,
            right: left + f64::from(letters) * 5.0,
            base,
            size: 10.0,
        }
    }

    #[test]
    fn rows_that_share_columns_are_a_table_and_a_wrapped_cell_is_one_cell() {
        let found = blocks(
            vec![
                segment("Item", 50.0, 0.0),
                segment("Remark", 200.0, 0.0),
                segment("Bolt", 50.0, 12.0),
                segment("made of steel", 200.0, 12.0),
                segment("or brass", 200.0, 24.0),
            ],
            false,
        );
        let rows = [["Item", "Remark"], ["Bolt", "made of steel or brass"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec()).to_vec();
        assert_eq!(found, [Block::Table(rows)]);
    }

    #[test]
    fn points_of_a_list_are_no_table() {
        let lines = |marks: [&str; 2]| {
            let segments = vec![
                segment(marks[0], 50.0, 0.0),
                segment("first", 70.0, 0.0),
                segment(marks[1], 50.0, 12.0),
                segment("second", 70.0, 12.0),
            ];
            match blocks(segments, false).as_slice() {
                [Block::Lines(lines)] => lines.iter().map(Line::text).collect::<Vec<_>>(),
                other => panic!("{other:?}"),
            }
        };
        for marks in [["•", "•"], ["1.", "2."], ["1", "2"], ["(a)", "(b)"]] {
            let [one, two] = marks;
            assert_eq!(lines(marks), [format!("{one} first"), format!("{two} second")]);
        }
    }

    #[test]
    fn one_line_with_a_gap_is_a_line() {
        let found = blocks(
            vec![segment("left", 50.0, 0.0), segment("right", 300.0, 0.0)],
            false,
        );
        assert!(matches!(found.as_slice(), [Block::Lines(lines)] if lines.len() == 1));
    }
}

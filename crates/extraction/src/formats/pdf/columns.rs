//! Finds columns of running text and puts the segments of a page in the order of reading.

use super::rows::Segment;

/// How many lines a column has at least.
const MIN_LINES: usize = 3;
/// How many characters a line of a column has on average, at least; cells of tables have fewer.
const MIN_CHARACTERS: usize = 12;
/// A page with more segments is a drawing, and looking for columns in it would take long.
const MAX_SEGMENTS: usize = 5_000;
/// How often a region is split at most.
const MAX_DEPTH: usize = 8;

/// Parts a page into regions in the order of reading; in each, lines are read from top to bottom.
pub(super) fn regions(segments: Vec<Segment>, right_to_left: bool) -> Vec<Vec<Segment>> {
    let mut regions = Vec::new();
    split(segments, right_to_left, MAX_DEPTH, &mut regions);
    regions
}

fn split(segments: Vec<Segment>, right_to_left: bool, depth: usize, regions: &mut Vec<Vec<Segment>>) {
    let gutter = if depth == 0 || segments.len() > MAX_SEGMENTS {
        None
    } else {
        gutter(&segments)
    };
    let Some(gutter) = gutter else {
        if !segments.is_empty() {
            regions.push(segments);
        }
        return;
    };
    let mut band = Band::default();
    for segment in segments {
        if segment.right <= gutter {
            band.full.flush(right_to_left, depth, regions);
            band.left.push(segment);
        } else if segment.left >= gutter {
            band.full.flush(right_to_left, depth, regions);
            band.right.push(segment);
        } else {
            band.columns(right_to_left, depth, regions);
            band.full.0.push(segment);
        }
    }
    band.full.flush(right_to_left, depth, regions);
    band.columns(right_to_left, depth, regions);
}

/// What was read since the last line that went across.
#[derive(Default)]
struct Band {
    left: Vec<Segment>,
    right: Vec<Segment>,
    full: Full,
}

#[derive(Default)]
struct Full(Vec<Segment>);

impl Full {
    fn flush(&mut self, right_to_left: bool, depth: usize, regions: &mut Vec<Vec<Segment>>) {
        split(std::mem::take(&mut self.0), right_to_left, depth - 1, regions);
    }
}

impl Band {
    fn columns(&mut self, right_to_left: bool, depth: usize, regions: &mut Vec<Vec<Segment>>) {
        let (left, right) = (std::mem::take(&mut self.left), std::mem::take(&mut self.right));
        let (first, second) = if right_to_left {
            (right, left)
        } else {
            (left, right)
        };
        split(first, right_to_left, depth - 1, regions);
        split(second, right_to_left, depth - 1, regions);
    }
}

/// The place between two columns of running text, if there are two.
fn gutter(segments: &[Segment]) -> Option<f64> {
    // Rounded up, so that of the many lines that end at one edge none reaches across the place.
    let mut places: Vec<f64> = segments.iter().map(|segment| segment.right.ceil()).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    places
        .into_iter()
        .filter_map(|place| Some((place, score(segments, place)?)))
        .max_by_key(|(_, score)| *score)
        .map(|(place, _)| place)
}

/// How well a place parts the segments; `None` when it does not part columns.
fn score(segments: &[Segment], place: f64) -> Option<usize> {
    let left: Vec<&Segment> = segments.iter().filter(|s| s.right <= place).collect();
    let right: Vec<&Segment> = segments.iter().filter(|s| s.left >= place).collect();
    let across = segments.len() - left.len() - right.len();
    let fewer = left.len().min(right.len());
    let parts = fewer >= MIN_LINES
        && across * 2 <= fewer
        && beside(&left, &right)
        && is_running_text(&left)
        && is_running_text(&right);
    parts.then(|| fewer * 2 - across)
}

/// Whether two columns stand beside one another for most of the shorter one.
fn beside(left: &[&Segment], right: &[&Segment]) -> bool {
    let extent = |column: &[&Segment]| {
        let top = column.iter().map(|s| s.base).fold(f64::INFINITY, f64::min);
        let bottom = column.iter().map(|s| s.base).fold(f64::NEG_INFINITY, f64::max);
        (top, bottom)
    };
    let ((top_left, bottom_left), (top_right, bottom_right)) = (extent(left), extent(right));
    let shared = bottom_left.min(bottom_right) - top_left.max(top_right);
    let shorter = (bottom_left - top_left).min(bottom_right - top_right);
    shorter > 0.0 && shared * 2.0 >= shorter
}

/// Lines of running text are long, and most fill their column.
fn is_running_text(lines: &[&Segment]) -> bool {
    let characters: usize = lines.iter().map(|line| line.text.chars().count()).sum();
    let mut widths: Vec<f64> = lines.iter().map(|line| line.width()).collect();
    widths.sort_by(f64::total_cmp);
    let at = |part: usize| widths.get(widths.len() * part / 10).copied().unwrap_or(0.0);
    characters >= MIN_CHARACTERS * lines.len() && at(5) >= at(9) * 0.6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, left: f64, width: f64, base: f64) -> Segment {
        Segment {
            text: text.to_owned(),
            left,
            right: left + width,
            base,
            size: 10.0,
        }
    }

    fn page() -> Vec<Segment> {
        let mut page = vec![line("A title that goes across the whole page", 50.0, 500.0, 20.0)];
        for at in 0..8 {
            let base = 40.0 + f64::from(at) * 12.0;
            page.push(line(&format!("left column line number {at}"), 50.0, 240.0, base));
            page.push(line(
                &format!("right column line number {at}"),
                310.0,
                240.0,
                base,
            ));
        }
        page
    }

    fn first_words(regions: &[Vec<Segment>]) -> Vec<&str> {
        let segments = regions.iter().filter_map(|region| region.first());
        segments
            .filter_map(|segment| segment.text.split(' ').next())
            .collect()
    }

    #[test]
    fn columns_are_read_one_after_the_other() {
        assert_eq!(first_words(&regions(page(), false)), ["A", "left", "right"]);
        assert_eq!(first_words(&regions(page(), true)), ["A", "right", "left"]);
    }

    #[test]
    fn a_line_that_ends_a_little_further_than_others_does_not_cut_a_column() {
        let mut page = page();
        for (at, segment) in page.iter_mut().skip(1).step_by(2).enumerate() {
            segment.right += if at % 3 == 1 { 0.7 } else { 0.1 };
        }
        assert_eq!(first_words(&regions(page, false)), ["A", "left", "right"]);
    }

    #[test]
    fn cells_of_a_table_are_not_columns() {
        let mut table = Vec::new();
        for at in 0..8 {
            let base = 40.0 + f64::from(at) * 12.0;
            table.push(line("Bolt", 50.0, 30.0, base));
            table.push(line("0.20 EUR", 310.0, 40.0, base));
        }
        assert_eq!(regions(table, false).len(), 1);
    }
}

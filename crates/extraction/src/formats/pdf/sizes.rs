use std::collections::BTreeMap;

use super::glyphs::Glyph;

/// Headings are at least this much larger than the text.
const HEADING: f64 = 1.15;
/// How many sizes of heading are told apart.
const LEVELS: usize = 4;

/// Which sizes of type a document uses, and for how much.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    /// Characters by size, in half points.
    counts: BTreeMap<u32, usize>,
}

impl Sizes {
    pub(super) fn learn<'g>(&mut self, glyphs: impl Iterator<Item = &'g Glyph>) {
        for glyph in glyphs.filter(|glyph| !glyph.is_blank()) {
            *self.counts.entry(half_points(glyph.size)).or_default() += 1;
        }
    }

    /// The level of a heading in type of `size`; `None` where it is as large as the text.
    pub(super) fn level(&self, size: f64) -> Option<usize> {
        let (&body, _) = self.counts.iter().max_by_key(|(size, count)| (**count, **size))?;
        let least = f64::from(body) * HEADING;
        if size * 2.0 < least {
            return None;
        }
        let larger = self.counts.keys().rev().filter(|size| f64::from(**size) >= least);
        let rank = larger.take_while(|other| **other > half_points(size)).count();
        Some((rank + 1).min(LEVELS))
    }
}

fn half_points(size: f64) -> u32 {
    let wanted = (size * 2.0).round();
    // The sizes of type end far below; a float has no other way to an integer without a cast.
    (0..400).find(|half| f64::from(*half) >= wanted).unwrap_or(400)
}

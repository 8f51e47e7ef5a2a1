use std::collections::BTreeMap;

use hayro_interpret::font::{Glyph as Drawn, GlyphRun};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect};
use hayro_interpret::{BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// What hayro scales glyphs to: a thousand units are the size of the type.
const UNITS_PER_EM: f64 = 1_000.0;
/// Type smaller than this, in points, is not there to be read.
const SMALLEST: f64 = 1.0;
/// The most glyphs of one page; more is no page but an attack.
const MOST_GLYPHS: usize = 200_000;
/// Directions of writing are told apart in steps of this many degrees.
const DIRECTION_STEP: f64 = 15.0;

/// A character, or a few that are drawn as one, with its place on the page as read: x grows in the direction of
/// writing, y downwards. In points.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Glyph {
    pub(super) text: String,
    pub(super) left: f64,
    pub(super) right: f64,
    /// The line that the character stands on.
    pub(super) base: f64,
    pub(super) size: f64,
}

impl Glyph {
    pub(super) fn is_blank(&self) -> bool {
        self.text.chars().all(char::is_whitespace)
    }

    pub(super) fn is_mark(&self) -> bool {
        self.text.chars().all(is_combining_mark)
    }
}

/// Gathers the characters that a page draws.
pub(super) struct Glyphs {
    frame: Rect,
    pub(super) drawn: Vec<Glyph>,
    /// The direction of each glyph, in steps.
    directions: Vec<i8>,
    /// How many images were drawn.
    pub(super) images: u64,
    /// How many glyphs were drawn of which nobody knows what they mean.
    pub(super) unknown: u64,
}

impl Glyphs {
    pub(super) fn new(frame: Rect) -> Self {
        Self {
            frame: frame.inflate(2.0, 2.0),
            drawn: Vec::new(),
            directions: Vec::new(),
            images: 0,
            unknown: 0,
        }
    }

    /// The glyphs of each direction of writing, the one with most of them first.
    pub(super) fn by_direction(self) -> Vec<Vec<Glyph>> {
        let mut groups: BTreeMap<i8, Vec<Glyph>> = BTreeMap::new();
        for (glyph, direction) in self.drawn.into_iter().zip(self.directions) {
            groups.entry(direction).or_default().push(glyph);
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        groups
    }

    fn glyph(&mut self, drawn: &Drawn<'_>, transform: Affine) {
        let origin = transform * Point::ZERO;
        let [a, b, c, d, ..] = transform.as_coeffs();
        let (across, size) = (a.hypot(b), c.hypot(d) * UNITS_PER_EM);
        let seen = self.frame.contains(origin) && size.is_finite() && size >= SMALLEST && across > 0.0;
        if !seen || self.drawn.len() >= MOST_GLYPHS {
            return;
        }
        let text = match drawn.as_unicode() {
            Some(BfString::Char(c)) => legible(&c.to_string()),
            Some(BfString::String(text)) => legible(&text),
            None => String::new(),
        };
        if text.is_empty() {
            self.unknown += 1;
            return;
        }
        let width = match drawn {
            Drawn::Outline(glyph) => glyph.advance_width(),
            Drawn::Type3(glyph) => glyph.advance_width(),
        };
        let width = f64::from(width.unwrap_or(500.0)) * across;
        let (cos, sin) = (a / across, b / across);
        let left = origin.x * cos + origin.y * sin;
        self.drawn.push(Glyph {
            text,
            left,
            right: left + width.max(0.0),
            base: origin.y * cos - origin.x * sin,
            size,
        });
        self.directions.push(direction(b.atan2(a).to_degrees()));
    }
}

fn direction(degrees: f64) -> i8 {
    let steps = (degrees / DIRECTION_STEP).round();
    (-12_i8..=12)
        .find(|step| (f64::from(*step) - steps).abs() < 0.5)
        .map_or(0, |step| if step == -12 { 12 } else { step })
}

/// The characters of a glyph as people type them: letters instead of the forms that they take beside one another.
fn legible(text: &str) -> String {
    let mut legible = String::new();
    for c in text.chars() {
        match c {
            '\u{fb00}'..='\u{fb06}' | '\u{fb13}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' => {
                legible.extend(c.nfkc());
            }
            '\u{f0b7}' | '\u{f0a7}' => legible.push('\u{2022}'),
            '\u{a0}' | '\t' => legible.push(' '),
            '\u{ad}' => legible.push('-'),
            '\u{e000}'..='\u{f8ff}' | '\u{fffd}' | '\u{feff}' => {}
            c if c.is_control() => {}
            c => legible.push(c),
        }
    }
    legible
}

impl<'a> Device<'a> for Glyphs {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        for glyph in run.glyphs() {
            self.glyph(glyph, props.transform * glyph.transform());
        }
    }

    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {
        self.images += 1;
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'a>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

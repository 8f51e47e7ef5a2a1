use std::collections::BTreeMap;

use tenantry_domain::{Bound, Bounds, Filter, Metadata, MetadataValue};

/// A small generator (xorshift64) of metadata and filters that a backend could take for its own language; one seed gives
/// the same ones on every machine.
#[derive(Debug)]
pub struct Random(u64);

/// Plain names that mean something to some backend.
const KEYS: [&str; 8] = ["lang", "LANG", "a.b", "a", "x-y_z", "text", "document", "m.lang"];

const TEXTS: [&str; 34] = [
    "",
    " ",
    "en",
    "EN",
    "e",
    "en\"",
    "'",
    "''",
    "\"",
    "\\",
    "a' OR '1'='1",
    "'; DROP TABLE chunks; --",
    "%",
    "_n",
    "$",
    "$.lang",
    "{\"$ne\":null}",
    "[\"en\"]",
    "null",
    "true",
    "1",
    "2024-01-02",
    "2024-01-10",
    "2024-1-2",
    "Zoë",
    "Zoe\u{308}",
    "猫",
    "😀",
    "\u{ffff}",
    "\u{202e}abc",
    "?1 :a @b $1",
    "a\r\nb\tc",
    "*",
    "\u{7f}",
];

const NUMBERS: [f64; 20] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    0.3,
    0.1 + 0.2,
    2024.0,
    2024.5,
    9_007_199_254_740_991.0,
    9_007_199_254_740_992.0,
    9_007_199_254_740_994.0,
    -9_007_199_254_740_993.0,
    1e22,
    1e23,
    1e308,
    f64::MAX,
    f64::MIN,
    f64::MIN_POSITIVE,
    5e-324,
];

/// Texts that a query language, a statement or a path could be made of.
pub(super) const HOSTILE: [&str; 31] = [
    "",
    " ",
    "\"",
    "'",
    "\"\"\"",
    "a\" OR \"secret",
    "'; DROP TABLE chunks; --",
    "secret*",
    "NEAR(a b)",
    "a AND",
    "NOT",
    "OR",
    "text:secret",
    "^secret",
    "{a b} : c",
    "-secret",
    "+secret",
    "(((",
    ")",
    "a\0b",
    "\0",
    "😀👩‍👩‍👧‍👦",
    "\u{202e}abc",
    "%' OR 1=1",
    "$1 ?1 :a @b",
    "\\",
    "${jndi:x}",
    "{\"$ne\":null}",
    "#",
    "secret:* & !a | <-> b",
    "../conformance-victim",
];

impl Random {
    /// The sequence of that seed.
    pub fn new(seed: u64) -> Self {
        // Spreads small seeds, of which xorshift would give small numbers first; and it must not start at 0.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from((self.0 >> 32) % u64::from(limit)).expect("it is below a number of 32 bits")
    }

    /// One of `items`.
    pub fn pick<'i, T>(&mut self, items: &'i [T]) -> &'i T {
        let count = u32::try_from(items.len()).expect("the list is short");
        &items[usize::try_from(self.below(count)).expect("it is an index")]
    }

    /// Whether one chance of `n` comes.
    pub fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }

    /// Metadata of up to nine keys.
    pub fn metadata(&mut self) -> Metadata {
        let values: BTreeMap<_, _> = (0..self.below(10)).map(|_| (self.key(), self.value())).collect();
        Metadata::new(values).expect("every value is within its bounds")
    }

    /// A filter that passes [`Filter::check`].
    pub fn filter(&mut self) -> Filter {
        let filter = self.part(3);
        filter.check().expect("the filter is within its bounds");
        filter
    }

    fn part(&mut self, depth: u32) -> Filter {
        let leaf_or_not = if depth == 0 { 4 } else { 8 };
        match self.below(leaf_or_not) {
            0 => Filter::Eq(self.key(), self.scalar()),
            1 => Filter::Ne(self.key(), self.scalar()),
            2 => Filter::In(self.key(), (0..self.below(5)).map(|_| self.scalar()).collect()),
            3 | 4 => Filter::Range(self.key(), self.bounds()),
            5 => Filter::And((0..self.below(4)).map(|_| self.part(depth - 1)).collect()),
            6 => Filter::Or((0..self.below(4)).map(|_| self.part(depth - 1)).collect()),
            _ => Filter::Not(Box::new(self.part(depth - 1))),
        }
    }

    fn key(&mut self) -> String {
        (*self.pick(&KEYS)).to_owned()
    }

    fn text(&mut self) -> String {
        if self.one_in(30) {
            return "x".repeat(Metadata::MAX_TEXT);
        }
        (*self.pick(&TEXTS)).to_owned()
    }

    fn scalar(&mut self) -> MetadataValue {
        match self.below(5) {
            0 => MetadataValue::Bool(self.one_in(2)),
            1 | 2 => MetadataValue::Number(*self.pick(&NUMBERS)),
            _ => MetadataValue::Text(self.text()),
        }
    }

    fn value(&mut self) -> MetadataValue {
        if self.one_in(4) {
            return MetadataValue::Texts((0..self.below(4)).map(|_| self.text()).collect());
        }
        self.scalar()
    }

    fn bounds(&mut self) -> Bounds {
        let (lower, upper) = match self.below(3) {
            0 => (Some(self.bound()), None),
            1 => (None, Some(self.bound())),
            _ => (Some(self.bound()), Some(self.bound())),
        };
        Bounds { lower, upper }
    }

    fn bound(&mut self) -> Bound {
        let value = if self.one_in(2) {
            MetadataValue::Number(*self.pick(&NUMBERS))
        } else {
            MetadataValue::Text(self.text())
        };
        let inclusive = self.one_in(2);
        Bound { value, inclusive }
    }
}

/// [`HOSTILE`], and very long ones.
pub(super) fn hostile_texts() -> Vec<String> {
    let mut texts = Vec::from(HOSTILE.map(str::to_owned));
    texts.push("\"".repeat(100_000));
    texts.push("word ".repeat(20_000));
    texts.push("x".repeat(100_000));
    texts.push((0..20_000).fold(String::new(), |text, n| text + &format!("w{n} ")));
    texts
}

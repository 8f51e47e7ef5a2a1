use std::collections::BTreeMap;

/// One value of a document's metadata.
#[derive(Debug, Clone, PartialEq)]
pub enum MetadataValue {
    /// Text of at most 500 characters.
    Text(String),
    /// A finite number.
    Number(f64),
    /// True or false.
    Bool(bool),
    /// A set of texts, at most 32.
    Texts(Vec<String>),
}

/// What a client says about a document, for filters: at most 32 keys, and 16 KiB altogether.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metadata(BTreeMap<String, MetadataValue>);

/// Metadata that cannot be kept; each variant names the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidMetadata {
    /// There are more than 32 keys.
    #[error("metadata has more than {} keys", Metadata::MAX_KEYS)]
    TooManyKeys,
    /// The key is empty, longer than 64 characters, has others than letters, digits, `_`, `-` and `.`, or is `and`, `or` or
    /// `not`, which filters are written with.
    #[error(
        "the metadata key {0:?} is not 1 to 64 letters, digits, `_`, `-` or `.` starting with a letter or `_`, or is one of `and`, `or`, `not`"
    )]
    Key(String),
    /// The text is too long or has the character U+0000.
    #[error("the text of metadata {0:?} has more than {max} characters, or U+0000", max = Metadata::MAX_TEXT)]
    Text(String),
    /// The number is infinite or not a number.
    #[error("the number of metadata {0:?} is not finite")]
    Number(String),
    /// Keys and values are too long together.
    #[error("metadata has more than {} bytes", Metadata::MAX_BYTES)]
    TooLarge,
    /// The list is too long.
    #[error("the list of metadata {0:?} has more than {max} texts", max = Metadata::MAX_LIST)]
    List(String),
}

impl Metadata {
    /// The most keys.
    pub const MAX_KEYS: usize = 32;
    /// The longest text in characters.
    pub const MAX_TEXT: usize = 500;
    /// The most texts of a list.
    pub const MAX_LIST: usize = 32;
    /// The longest key in characters.
    pub const MAX_KEY: usize = 64;
    /// The most bytes of all keys and texts together: searches read it with each document that they find, and Pinecone takes 40 KB a
    /// chunk, its text included.
    pub const MAX_BYTES: usize = 16 << 10;

    /// Metadata of these keys and values.
    ///
    /// # Errors
    /// When there are too many, or a key or value is outside its bounds.
    pub fn new(values: BTreeMap<String, MetadataValue>) -> Result<Self, InvalidMetadata> {
        if values.len() > Self::MAX_KEYS {
            return Err(InvalidMetadata::TooManyKeys);
        }
        for (key, value) in &values {
            check_key(key)?;
            check_value(key, value)?;
        }
        if values
            .iter()
            .map(|(key, value)| key.len() + bytes(value))
            .sum::<usize>()
            > Self::MAX_BYTES
        {
            return Err(InvalidMetadata::TooLarge);
        }
        Ok(Self(values))
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&MetadataValue> {
        self.0.get(key)
    }

    /// Every key with its value, in the order of keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &MetadataValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// About how many bytes a value takes.
fn bytes(value: &MetadataValue) -> usize {
    match value {
        MetadataValue::Text(text) => text.len(),
        MetadataValue::Number(_) | MetadataValue::Bool(_) => 8,
        MetadataValue::Texts(texts) => texts.iter().map(String::len).sum(),
    }
}

/// Whether `key` can be a key of metadata and of filters.
///
/// # Errors
/// [`InvalidMetadata::Key`] when it cannot.
pub(crate) fn check_key(key: &str) -> Result<(), InvalidMetadata> {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let other = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let plain = key.starts_with(first) && key.chars().all(other) && key.len() <= Metadata::MAX_KEY;
    if plain && !matches!(key, "and" | "or" | "not") {
        Ok(())
    } else {
        Err(InvalidMetadata::Key(
            key.chars().take(Metadata::MAX_KEY).collect(),
        ))
    }
}

/// Whether `value` can be kept under `key`, or compared with what is.
pub(crate) fn check_value(key: &str, value: &MetadataValue) -> Result<(), InvalidMetadata> {
    let kept = |text: &str| text.chars().count() <= Metadata::MAX_TEXT && !text.contains('\0');
    match value {
        MetadataValue::Text(text) if !kept(text) => Err(InvalidMetadata::Text(key.to_owned())),
        MetadataValue::Number(number) if !number.is_finite() => Err(InvalidMetadata::Number(key.to_owned())),
        MetadataValue::Texts(texts) if texts.len() > Metadata::MAX_LIST => {
            Err(InvalidMetadata::List(key.to_owned()))
        }
        MetadataValue::Texts(texts) if !texts.iter().all(|text| kept(text)) => {
            Err(InvalidMetadata::Text(key.to_owned()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(key: &str, value: MetadataValue) -> Result<Metadata, InvalidMetadata> {
        Metadata::new(BTreeMap::from([(key.to_owned(), value)]))
    }

    #[test]
    fn a_key_is_a_plain_name_that_no_filter_is_written_with() {
        for key in ["lang", "_x", "a.b-c_9", &"k".repeat(64)] {
            assert!(one(key, MetadataValue::Bool(true)).is_ok(), "{key}");
        }
        for key in [
            "",
            "9a",
            "a b",
            "$eq",
            "and",
            "or",
            "not",
            "ключ",
            &"k".repeat(65),
        ] {
            assert!(
                matches!(one(key, MetadataValue::Bool(true)), Err(InvalidMetadata::Key(_))),
                "{key}"
            );
        }
    }

    #[test]
    fn a_value_outside_its_bounds_is_refused_by_its_key() {
        let refused = |value| one("k", value).unwrap_err();
        assert_eq!(
            refused(MetadataValue::Text("x".repeat(501))),
            InvalidMetadata::Text("k".into())
        );
        assert_eq!(
            refused(MetadataValue::Text("a\0".into())),
            InvalidMetadata::Text("k".into())
        );
        assert_eq!(
            refused(MetadataValue::Number(f64::NAN)),
            InvalidMetadata::Number("k".into())
        );
        assert_eq!(
            refused(MetadataValue::Texts(vec!["x".into(); 33])),
            InvalidMetadata::List("k".into())
        );
        let many = (0..33).map(|n| (format!("k{n}"), MetadataValue::Bool(true)));
        assert_eq!(Metadata::new(many.collect()), Err(InvalidMetadata::TooManyKeys));
    }

    #[test]
    fn all_of_it_together_is_bounded_in_bytes() {
        let of = |text: &str, texts| {
            let list = MetadataValue::Texts(vec![text.repeat(500); texts]);
            one("k", list)
        };
        assert!(of("x", 32).is_ok());
        assert!(of("é", 16).is_ok());
        assert_eq!(of("é", 17), Err(InvalidMetadata::TooLarge));
        let many = (0..17).map(|n| (format!("k{n}"), MetadataValue::Text("é".repeat(500))));
        assert_eq!(Metadata::new(many.collect()), Err(InvalidMetadata::TooLarge));
    }
}

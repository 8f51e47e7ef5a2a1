use std::borrow::Cow;
use std::io::BufRead;

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::package::Overrun;
use crate::{Bound, ExtractError, Limits};

/// Takes what an XML document consists of, in its order; names come without their prefix.
pub(crate) trait Visitor {
    /// An element begins.
    fn open(&mut self, name: &str, attributes: Attributes<'_>) -> Result<(), ExtractError>;

    /// An element ends.
    fn close(&mut self, name: &str) -> Result<(), ExtractError>;

    /// A part of the text of the element that was opened last.
    fn text(&mut self, text: &str) -> Result<(), ExtractError>;
}

/// The attributes of an element.
#[derive(Clone, Copy)]
pub(crate) struct Attributes<'a>(&'a BytesStart<'a>);

impl Attributes<'_> {
    /// The value of the first attribute of that name, under any prefix.
    pub(crate) fn get(self, name: &str) -> Option<String> {
        self.find(|key, _| key == name)
    }

    /// The value of the first attribute of that name with a prefix, as in `r:id`.
    pub(crate) fn prefixed(self, name: &str) -> Option<String> {
        self.find(|key, prefixed| prefixed && key == name)
    }

    fn find(self, wanted: impl Fn(&str, bool) -> bool) -> Option<String> {
        // Checking for doubles takes time in the square of their number.
        self.0
            .attributes()
            .with_checks(false)
            .filter_map(Result::ok)
            .find(|attribute| {
                let key = attribute.key;
                wanted(key.local_name().as_ref(), key.prefix().is_some())
            })
            .and_then(|attribute| {
                let value = attribute.normalized_value(XmlVersion::Explicit1_0).ok()?;
                Some(Cow::into_owned(value))
            })
    }
}

/// Reads an XML document in memory that does not grow with it.
///
/// A document that declares entities is refused: nothing that is read here has a use for them, and expanding them is
/// how a small file becomes a large one.
pub(crate) fn walk(
    source: impl BufRead,
    limits: &Limits,
    visitor: &mut dyn Visitor,
) -> Result<(), ExtractError> {
    let mut reader = Reader::from_reader(source);
    let mut buffer = Vec::new();
    let mut depth = 0_u32;
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(failure)? {
            Event::Start(element) => {
                depth += 1;
                if depth > limits.xml_depth {
                    return Err(ExtractError::TooLarge(Bound::Depth(limits.xml_depth)));
                }
                visitor.open(element.local_name().as_ref(), Attributes(&element))?;
            }
            Event::Empty(element) => {
                visitor.open(element.local_name().as_ref(), Attributes(&element))?;
                visitor.close(element.local_name().as_ref())?;
            }
            Event::End(element) => {
                depth = depth.saturating_sub(1);
                visitor.close(element.local_name().as_ref())?;
            }
            Event::Text(text) => visitor.text(&text.xml10_content())?,
            Event::CData(text) => visitor.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                if let Some(c) = resolved(&reference) {
                    visitor.text(c.encode_utf8(&mut [0; 4]))?;
                }
            }
            Event::DocType(declaration) if declaration.contains("<!ENTITY") => {
                return Err(ExtractError::damaged("its XML declares entities"));
            }
            Event::Eof if depth > 0 => return Err(ExtractError::damaged("its XML ends too early")),
            Event::Eof => return Ok(()),
            Event::DocType(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

fn resolved(reference: &BytesRef<'_>) -> Option<char> {
    if reference.is_char_ref() {
        return reference.resolve_char_ref().ok().flatten();
    }
    match &**reference {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

fn failure(error: quick_xml::Error) -> ExtractError {
    match error {
        quick_xml::Error::Io(error) => Overrun::of(&error),
        _ => ExtractError::damaged("its XML is malformed"),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    #[derive(Default)]
    struct Heard(String);

    impl Visitor for Heard {
        fn open(&mut self, name: &str, attributes: Attributes<'_>) -> Result<(), ExtractError> {
            write!(self.0, "<{name} {:?}>", attributes.get("v")).unwrap();
            Ok(())
        }

        fn close(&mut self, name: &str) -> Result<(), ExtractError> {
            write!(self.0, "</{name}>").unwrap();
            Ok(())
        }

        fn text(&mut self, text: &str) -> Result<(), ExtractError> {
            self.0.push_str(text);
            Ok(())
        }
    }

    fn walked(xml: &str) -> Result<String, ExtractError> {
        let mut heard = Heard::default();
        walk(xml.as_bytes(), &Limits::default(), &mut heard)?;
        Ok(heard.0)
    }

    #[test]
    fn names_lose_their_prefix_and_references_are_resolved() {
        let xml = r#"<?xml version="1.0"?><w:p x:v="a&amp;b">1 &lt;&#x2014;<br/><![CDATA[<2>]]></w:p>"#;
        assert_eq!(
            walked(xml).unwrap(),
            r#"<p Some("a&b")>1 <—<br None></br><2></p>"#
        );
    }

    #[test]
    fn declared_entities_are_refused() {
        let laughs = r#"<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>"#;
        assert!(matches!(walked(laughs), Err(ExtractError::Damaged { .. })));
    }

    #[test]
    fn deep_and_broken_documents_are_refused() {
        let deep = "<a>".repeat(100_000);
        assert!(matches!(
            walked(&deep),
            Err(ExtractError::TooLarge(Bound::Depth(256)))
        ));
        for broken in ["<a><b></a>", "<a>", "<a", "<a x=></b>"] {
            assert!(
                matches!(walked(broken), Err(ExtractError::Damaged { .. })),
                "{broken}"
            );
        }
    }
}

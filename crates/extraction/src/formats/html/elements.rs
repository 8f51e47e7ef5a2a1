//! What elements mean for the text of a page.

use html5ever::tokenizer::Tag;

/// Elements whose content is no text of the page: code, navigation, controls, and what stands in for media.
pub(super) const LEFT_OUT: [&str; 18] = [
    "script", "style", "noscript", "template", "nav", "svg", "iframe", "object", "audio", "video", "canvas",
    "select", "button", "textarea", "datalist", "noframes", "noembed", "xmp",
];

/// Elements that end the line they stand on.
pub(super) const BLOCKS: [&str; 36] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "header",
    "hgroup",
    "hr",
    "html",
    "legend",
    "main",
    "ol",
    "option",
    "p",
    "search",
    "section",
    "summary",
    "table",
    "tbody",
    "tfoot",
    "thead",
    "ul",
    "head",
];

/// Elements with an optional end tag: hiding them would hide what follows too.
const END_OPTIONAL: [&str; 12] = [
    "p", "li", "td", "th", "tr", "dt", "dd", "option", "tbody", "thead", "html", "body",
];

/// Elements without content.
pub(super) const VOID: [&str; 10] = [
    "br", "hr", "img", "input", "link", "meta", "area", "col", "source", "wbr",
];

pub(super) fn attribute(tag: &Tag, name: &str) -> Option<String> {
    let attribute = tag
        .attrs
        .iter()
        .find(|attribute| &*attribute.name.local == name)?;
    Some(attribute.value.to_string())
}

/// Text that readers do not see is left out: it is how instructions to a model are smuggled into a page.
pub(super) fn is_hidden(tag: &Tag) -> bool {
    let name: &str = &tag.name;
    if END_OPTIONAL.contains(&name) {
        return false;
    }
    let style = attribute(tag, "style").unwrap_or_default().to_ascii_lowercase();
    let style: String = style.split_whitespace().collect();
    attribute(tag, "hidden").is_some()
        || style.contains("display:none")
        || style.contains("visibility:hidden")
}

//! Mail (RFC 5322 and MIME), by mail-parser: a few headers, the body, and the names of what is attached.

use mail_parser::{Address, HeaderName, Message, MessageParser, MimeHeaders, PartType};
use tenantry_domain::{MediaType, TextFormat};

use super::html;
use crate::markdown::one_line;
use crate::out::Out;
use crate::{ExtractError, Extracted};

pub(super) fn read(bytes: &[u8], out: &mut Out<'_, '_>) -> Result<Extracted, ExtractError> {
    let message = MessageParser::default()
        .parse(bytes)
        .ok_or_else(|| ExtractError::damaged("it is not a whole mail"))?;
    let title = message.subject().map(one_line).filter(|title| !title.is_empty());
    headers(&message, title.as_deref(), out)?;
    body(&message, out)?;
    attachments(&message, out)?;
    Ok(Extracted {
        media_type: MediaType::Eml,
        format: TextFormat::Markdown,
        title,
        pages: 0,
    })
}

fn headers(message: &Message<'_>, title: Option<&str>, out: &mut Out<'_, '_>) -> Result<(), ExtractError> {
    let date = message
        .date()
        .map(|_| message.header_raw(HeaderName::Date).unwrap_or_default());
    let lines = [
        ("Subject", title.map(str::to_owned)),
        ("From", message.from().map(addresses)),
        ("To", message.to().map(addresses)),
        ("Cc", message.cc().map(addresses)),
        ("Date", date.map(one_line)),
    ];
    for (name, value) in lines {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            out.line(&format!("{name}: {}", one_line(&value)))?;
        }
    }
    out.end_block()
}

fn body(message: &Message<'_>, out: &mut Out<'_, '_>) -> Result<(), ExtractError> {
    for part in message.text_bodies() {
        match &part.body {
            PartType::Text(text) => out.block(text.replace("\r\n", "\n").trim())?,
            PartType::Html(text) => {
                out.end_block()?;
                html::write(text, html::Dialect::Html, out)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn attachments(message: &Message<'_>, out: &mut Out<'_, '_>) -> Result<(), ExtractError> {
    let names: Vec<String> = message
        .attachments()
        .filter_map(|part| match &part.body {
            PartType::Message(inner) => inner.subject().or_else(|| part.attachment_name()),
            _ => part.attachment_name(),
        })
        .map(one_line)
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    out.block(&format!("Attachments: {}", names.join(", ")))
}

fn addresses(list: &Address<'_>) -> String {
    let each = list
        .iter()
        .map(|address| match (address.name(), address.address()) {
            (Some(name), Some(at)) => format!("{name} <{at}>"),
            (name, at) => name.or(at).unwrap_or_default().to_owned(),
        });
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::conformance::whole;
    use crate::{InProcessExtractor, Limits};

    fn text(mail: &str) -> (Option<String>, String) {
        let (extracted, read) = whole(
            &InProcessExtractor::new(Limits::default()),
            mail.as_bytes(),
            "a.eml",
        )
        .unwrap();
        (extracted.title, read.text)
    }

    #[test]
    fn the_text_part_is_read_and_attachments_are_named() {
        let mail = "From: =?utf-8?q?Ren=C3=A9e?= <renee@example.org>\r\nTo: shop@example.org, b@example.org\r\n\
            Subject: =?utf-8?b?UsO8Y2tnYWJl?=\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n\
            Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/alternative; boundary=y\r\n\r\n\
            --y\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
            Caf=E9 =\r\nau lait\r\n--y\r\nContent-Type: text/html\r\n\r\n<b>other</b>\r\n--y--\r\n\
            --x\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=bill.pdf\r\n\
            Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--x--\r\n";
        let (title, text) = text(mail);
        assert_eq!(title.as_deref(), Some("Rückgabe"));
        assert_eq!(
            text,
            "Subject: Rückgabe\nFrom: Renée <renee@example.org>\nTo: shop@example.org, b@example.org\n\
            Date: Mon, 2 Mar 2026 10:00:00 +0100\n\nCafé au lait\n\nAttachments: bill.pdf"
        );
    }

    #[test]
    fn a_mail_in_html_alone_is_read_as_html() {
        let mail = "From: a@example.org\nSubject: Hi\nContent-Type: text/html\n\n<h1>News</h1><style>p{}</style><p>Text";
        assert_eq!(text(mail).1, "Subject: Hi\nFrom: a@example.org\n\n# News\n\nText");
    }
}

use std::str;

use actix_multipart::{Field, Multipart};
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::once;
use serde::Deserialize;
use tenantry_domain::MediaType;
use tenantry_retrieval::NewText;
use utoipa::ToSchema;

use super::body::{has_nul, is, json};
use super::{collect, declared, only, shared};
use crate::error::{ApiError, Code};
use crate::limits::HttpSettings;
use crate::offload::{Offload, Room};

/// What surrounds the file in a multipart body, in bytes at most.
const FRAMING: usize = 64 * 1_024;
/// The longest title field in bytes; the use case counts its characters.
const MAX_TITLE: usize = 4_096;

/// A text to add to the tenant's knowledge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewDocument, example = json!({
    "title": "Returns", "text": "Goods can be returned within 30 days.", "media_type": "text/plain"
}))]
pub(crate) struct NewDocumentJson {
    /// The title: 1 to 300 characters on one line.
    title: String,
    /// The text: 1 to 5,000,000 characters.
    text: String,
    /// `text/plain`, which is the default, or `text/markdown`.
    media_type: Option<String>,
}

/// A file to add to the tenant's knowledge.
#[derive(Debug, ToSchema)]
#[schema(as = NewDocumentFile)]
#[expect(dead_code, reason = "it describes the form; the fields are read one by one")]
pub(crate) struct NewDocumentForm {
    /// A text or Markdown file in UTF-8.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// The title, else the file's name.
    title: Option<String>,
}

/// A document as JSON or as a file in a form.
pub(crate) struct NewDocumentBody {
    /// The document.
    pub(crate) text: NewText,
    /// The memory that it is in; to be kept until it is stored.
    pub(crate) room: Room,
}

impl FromRequest for NewDocumentBody {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let limit = shared::<HttpSettings>(&request)?.max_upload_bytes;
            let media_type = only(&request, header::CONTENT_TYPE).unwrap_or_default();
            let is_json = is(media_type, "application/json");
            if !is_json && !is(media_type, "multipart/form-data") {
                return Err(ApiError::new(Code::UnsupportedMediaType)
                    .saying("expected application/json or multipart/form-data"));
            }
            // A body that does not tell its length may have any.
            let bytes = declared(&request).unwrap_or(limit).min(limit);
            let room = shared::<Offload>(&request)?.room(bytes).await?;
            let text = if is_json {
                from_json(json(&collect(&request, payload, limit).await?)?)?
            } else {
                let body = collect(&request, payload, limit.saturating_add(FRAMING)).await?;
                from_form(&request, body, limit).await?
            };
            Ok(Self { text, room })
        })
    }
}

fn from_json(new: NewDocumentJson) -> Result<NewText, ApiError> {
    let media_type = new.media_type.as_deref().unwrap_or(MediaType::PlainText.as_str());
    Ok(NewText {
        title: new.title,
        media_type: media_type
            .parse()
            .map_err(|error| invalid(format!("`media_type`: {error}")))?,
        text: new.text,
    })
}

async fn from_form(request: &HttpRequest, body: Bytes, limit: usize) -> Result<NewText, ApiError> {
    let whole = once(async move { Ok::<_, PayloadError>(body) });
    let mut form = Multipart::new(request.headers(), whole);
    let (mut file, mut title) = (None, None);
    while let Some(field) = form.next().await {
        let mut field = field.map_err(malformed)?;
        match field.name() {
            Some("file") if file.is_none() => file = Some(File::read(&mut field, limit).await?),
            Some("title") if title.is_none() => title = Some(text(&mut field, MAX_TITLE).await?),
            _ => return Err(invalid("the form has one `file`, and may have one `title`")),
        }
    }
    let file = file.ok_or_else(|| invalid("the form has no `file`"))?;
    Ok(NewText {
        title: title.unwrap_or(file.name),
        media_type: file.media_type,
        text: file.text,
    })
}

struct File {
    name: String,
    media_type: MediaType,
    text: String,
}

impl File {
    async fn read(field: &mut Field, limit: usize) -> Result<Self, ApiError> {
        let name = field
            .content_disposition()
            .and_then(|disposition| disposition.get_filename())
            .map(base_name)
            .unwrap_or_default()
            .to_owned();
        let declared = field.content_type().map(ToString::to_string);
        let media_type = media_type(&name, declared.as_deref()).ok_or_else(|| {
            ApiError::new(Code::UnsupportedMediaType)
                .saying("expected a text/plain or text/markdown file in UTF-8, named .txt or .md")
        })?;
        let text = text(field, limit).await?;
        Ok(Self {
            name,
            media_type,
            text,
        })
    }
}

/// The last part of a name; some clients send the whole path.
fn base_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or_default()
}

/// What a file is, by its name and by what is said of it; nothing else than text may be said.
fn media_type(name: &str, declared: Option<&str>) -> Option<MediaType> {
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase());
    let named = match extension.as_deref() {
        Some("md" | "markdown") => Some(MediaType::Markdown),
        Some("txt" | "text") => Some(MediaType::PlainText),
        _ => None,
    };
    match declared {
        None => named,
        Some(declared) if is(declared, "application/octet-stream") => named,
        Some(declared) if is(declared, "text/markdown") => Some(MediaType::Markdown),
        Some(declared) if is(declared, "text/plain") => Some(named.unwrap_or(MediaType::PlainText)),
        Some(_) => None,
    }
}

async fn text(field: &mut Field, limit: usize) -> Result<String, ApiError> {
    let bytes = field.bytes(limit).await;
    let bytes = bytes
        .map_err(|_| ApiError::new(Code::PayloadTooLarge))?
        .map_err(malformed)?;
    let text = str::from_utf8(&bytes).map_err(|_| invalid("the file is not UTF-8"))?;
    if text.contains('\0') {
        return Err(has_nul());
    }
    Ok(text.to_owned())
}

fn malformed(error: impl std::fmt::Display) -> ApiError {
    ApiError::new(Code::BadRequest)
        .saying("the form is malformed")
        .because(error.to_string())
}

fn invalid(sentence: impl Into<std::borrow::Cow<'static, str>>) -> ApiError {
    ApiError::new(Code::InvalidRequest).saying(sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_name_and_its_type_agree_on() {
        use MediaType::{Markdown, PlainText};
        for (name, declared, expected) in [
            ("a.md", None, Some(Markdown)),
            ("a.MARKDOWN", Some("application/octet-stream"), Some(Markdown)),
            ("a.md", Some("text/plain; charset=utf-8"), Some(Markdown)),
            ("a", Some("text/markdown"), Some(Markdown)),
            ("a.txt", None, Some(PlainText)),
            ("a", Some("text/plain"), Some(PlainText)),
            ("a", None, None),
            ("a", Some("application/octet-stream"), None),
            ("a.md", Some("application/pdf"), None),
            ("a.txt", Some("text/plain; charset=utf-16"), None),
            ("a.html", Some("text/html"), None),
        ] {
            assert_eq!(media_type(name, declared), expected, "{name} {declared:?}");
        }
    }

    #[test]
    fn a_title_is_the_last_part_of_a_path() {
        for (name, expected) in [
            ("a.md", "a.md"),
            ("/etc/a.md", "a.md"),
            ("C:\\x\\a.md", "a.md"),
            ("", ""),
        ] {
            assert_eq!(base_name(name), expected);
        }
    }
}

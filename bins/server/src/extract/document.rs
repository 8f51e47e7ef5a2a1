use std::future::{Ready, ready};
use std::str;

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use serde::Deserialize;
use tenantry_domain::MediaType;
use tenantry_retrieval::NewFile;
use tenantry_tenant_store::Submitted;
use utoipa::ToSchema;

use super::arrival::{Arriving, is_late};
use super::body::{has_nul, is, json};
use super::keeping::Keeping;
use super::metadata::metadata;
use super::value::{Json, invalid};
use super::{CurrentTenant, Ingest, collect, declared, only, shared, uncoded};
use crate::error::{ApiError, Code};
use crate::limits::HttpSettings;
use crate::offload::Class;

/// What surrounds the file in a multipart body, in bytes at most.
const FRAMING: usize = 128 * 1_024;
/// The longest field of one line in bytes; the use case counts its characters.
const MAX_LINE: usize = 4_096;
/// The longest metadata of a form in bytes.
const MAX_METADATA: usize = 64 * 1_024;

/// A text to add to the tenant's knowledge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewDocument, example = json!({
    "title": "Returns", "text": "Goods can be returned within 30 days.", "media_type": "text/plain",
    "external_id": "kb/returns", "metadata": {"lang": "en", "year": 2026}
}))]
pub(crate) struct NewDocumentJson {
    /// The title: 1 to 300 characters on one line.
    title: String,
    /// The text.
    text: String,
    /// `text/plain`, which is the default, or `text/markdown`.
    media_type: Option<String>,
    /// Your own name for the document: 1 to 300 characters on one line. A document of the same name is replaced.
    external_id: Option<String>,
    /// What searches can filter by: at most 32 keys with a text, a number, `true`, `false` or a list of texts each.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Json>,
}

/// A file to add to the tenant's knowledge.
#[derive(Debug, ToSchema)]
#[schema(as = NewDocumentFile)]
#[expect(dead_code, reason = "it describes the form; the fields are read one by one")]
pub(crate) struct NewDocumentForm {
    /// Plain text, Markdown, HTML, PDF, DOCX, PPTX, XLSX, CSV, EPUB, RTF or a mail (EML); which of them, its content tells.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// The title, else the file's own, else its name.
    title: Option<String>,
    /// Your own name for the document: 1 to 300 characters on one line. A document of the same name is replaced.
    external_id: Option<String>,
    /// A JSON object of what searches can filter by.
    metadata: Option<String>,
}

/// A document as JSON or as a file in a form, whose body is still to be received.
pub(crate) struct NewDocument {
    request: HttpRequest,
    payload: Payload,
    is_json: bool,
}

impl FromRequest for NewDocument {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let media_type = only(request, header::CONTENT_TYPE).unwrap_or_default();
        let is_json = is(media_type, "application/json");
        ready(if is_json || is(media_type, "multipart/form-data") {
            Ok(Self {
                request: request.clone(),
                payload: payload.take(),
                is_json,
            })
        } else {
            Err(ApiError::new(Code::UnsupportedMediaType)
                .saying("expected application/json or multipart/form-data"))
        })
    }
}

impl NewDocument {
    /// Receives the document and keeps it with the job that will take it in. A text is in memory whole, of a file one part at a
    /// time.
    ///
    /// # Errors
    /// When the tenant may not be used or takes no documents, the body is not what it should be, or it cannot be kept.
    pub(crate) async fn keep(self, tenant: &CurrentTenant<Ingest>) -> Result<Submitted, ApiError> {
        uncoded(&self.request)?;
        let submitted = if self.is_json {
            self.keep_text(tenant).await
        } else {
            self.keep_file(tenant).await
        }?;
        tenant.offload().app().wake.wake();
        Ok(submitted)
    }

    async fn keep_text(self, tenant: &CurrentTenant<Ingest>) -> Result<Submitted, ApiError> {
        let Self { request, payload, .. } = self;
        // Whoever may not add documents is not read from.
        tenant
            .clone()
            .run(Class::Store, |app, scope| app.knowledge.begin(scope))
            .await?;
        let limit = shared::<HttpSettings>(&request)?.max_text_bytes;
        // A body that does not tell its length may have any. It is there twice when it is taken apart.
        let bytes = declared(&request).unwrap_or(limit).min(limit);
        let _room = tenant
            .offload()
            .room(tenant.id()?, bytes.saturating_mul(2))
            .await?;
        let (new, text) = from_json(json("body", &collect(&request, payload, limit).await?)?)?;
        tenant
            .clone()
            .run(Class::Store, move |app, scope| {
                app.knowledge.submit(scope, &new, &mut text.as_bytes())
            })
            .await
    }

    async fn keep_file(self, tenant: &CurrentTenant<Ingest>) -> Result<Submitted, ApiError> {
        let Self { request, payload, .. } = self;
        let settings = shared::<HttpSettings>(&request)?;
        let limit = settings.max_upload_bytes;
        let longest = limit.saturating_add(FRAMING);
        let length = declared(&request).unwrap_or(longest);
        if length > longest {
            return Err(ApiError::new(Code::PayloadTooLarge));
        }
        let keeping = Keeping::begin(tenant, length).await?;
        let body = Arriving::new(payload, longest, settings.body_deadline);
        let form = Multipart::new(request.headers(), body);
        Form::new(keeping, limit).receive(form).await
    }
}

fn from_json(new: NewDocumentJson) -> Result<(NewFile, String), ApiError> {
    let media_type = new.media_type.as_deref().unwrap_or(MediaType::PlainText.as_str());
    let Ok(declared @ (MediaType::PlainText | MediaType::Markdown)) = media_type.parse() else {
        return Err(invalid(
            "`media_type` is neither text/plain nor text/markdown".to_owned(),
        ));
    };
    if new.text.trim().is_empty() {
        return Err(invalid("`text` is empty".to_owned()));
    }
    let file = NewFile {
        title: Some(new.title),
        file_name: None,
        declared: Some(declared),
        external_id: new.external_id,
        metadata: new.metadata.map(metadata).transpose()?.unwrap_or_default(),
    };
    Ok((file, new.text))
}

/// A form on its way in.
struct Form {
    keeping: Keeping,
    limit: usize,
    new: NewFile,
    seen: Vec<String>,
}

impl Form {
    fn new(keeping: Keeping, limit: usize) -> Self {
        Self {
            keeping,
            limit,
            new: NewFile::default(),
            seen: Vec::new(),
        }
    }

    async fn receive(mut self, mut form: Multipart) -> Result<Submitted, ApiError> {
        while let Some(field) = form.next().await {
            let mut field = field.map_err(malformed)?;
            let name = field.name().unwrap_or_default().to_owned();
            match name.as_str() {
                _ if self.seen.contains(&name) => return Err(unknown_field()),
                "file" => self.file(&mut field).await?,
                "title" => self.new.title = Some(text(&mut field, MAX_LINE).await?),
                "external_id" => self.new.external_id = Some(text(&mut field, MAX_LINE).await?),
                "metadata" => {
                    let object = text(&mut field, MAX_METADATA).await?;
                    self.new.metadata = metadata(json("`metadata`", object.as_bytes())?)?;
                }
                _ => return Err(unknown_field()),
            }
            self.seen.push(name);
        }
        if self.seen.iter().all(|name| name != "file") {
            return Err(invalid("the form has no `file`".to_owned()));
        }
        self.keeping.finish(self.new).await
    }

    async fn file(&mut self, field: &mut Field) -> Result<(), ApiError> {
        let disposition = field.content_disposition();
        let name = disposition.and_then(|disposition| disposition.get_filename());
        self.new.file_name = name.map(str::to_owned);
        // What is said of a kind that is not known is as good as nothing: the content decides.
        let declared = field.content_type();
        self.new.declared = declared.and_then(|declared| declared.essence_str().parse().ok());
        let mut length = 0_usize;
        while let Some(bytes) = field.next().await {
            let bytes = bytes.map_err(malformed)?;
            length = length.saturating_add(bytes.len());
            if length > self.limit {
                return Err(ApiError::new(Code::PayloadTooLarge));
            }
            self.keeping.add(&bytes).await?;
        }
        Ok(())
    }
}

async fn text(field: &mut Field, limit: usize) -> Result<String, ApiError> {
    let bytes = field.bytes(limit).await;
    let bytes = bytes
        .map_err(|_| ApiError::new(Code::PayloadTooLarge))?
        .map_err(malformed)?;
    let text = str::from_utf8(&bytes).map_err(|_| invalid("a field is not UTF-8".to_owned()))?;
    if text.contains('\0') {
        return Err(has_nul());
    }
    Ok(text.to_owned())
}

fn unknown_field() -> ApiError {
    invalid("the form has one `file`, and may have one `title`, `external_id` and `metadata` each".to_owned())
}

fn malformed(error: MultipartError) -> ApiError {
    match error {
        MultipartError::Payload(PayloadError::Overflow) => ApiError::new(Code::PayloadTooLarge),
        MultipartError::Payload(error) if is_late(&error) => ApiError::new(Code::RequestTimeout),
        error => ApiError::new(Code::BadRequest)
            .saying("the form is malformed")
            .because(error.to_string()),
    }
}

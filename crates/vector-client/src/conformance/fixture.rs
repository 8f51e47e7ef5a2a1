use std::sync::Arc;

use tenantry_domain::{
    Chunk, DocumentId, Embedding, PineconeSettings, Span, Tenant, TenantId, TenantScope, Timestamp,
};

use crate::IndexedChunk;

/// The scope of an active tenant with that id.
pub fn scope(id: &str) -> TenantScope {
    let at = Timestamp::from_unix_micros(0).expect("1970 is a timestamp");
    let tenant = Arc::new(Tenant {
        id: TenantId::parse(id).expect("the tenant id is well-formed"),
        name: id.to_owned(),
        pinecone: PineconeSettings::default(),
        system_prompt: None,
        is_active: true,
        created_at: at,
        updated_at: at,
    });
    tenant.activate().expect("the tenant is active")
}

/// The `n`-th document; a greater `n` sorts later.
pub fn document(n: u8) -> DocumentId {
    format!("01890000-0000-7000-8000-0000000000{n:02x}")
        .parse()
        .expect("the id is canonical")
}

/// An embedding of those numbers.
pub fn embedding(values: &[f32]) -> Embedding {
    Embedding::new(values.to_vec()).expect("the numbers have a direction")
}

/// A chunk of `document` with that text and embedding.
pub fn chunk(document: DocumentId, ordinal: u32, text: &str, values: Option<&[f32]>) -> IndexedChunk {
    let end = u32::try_from(text.chars().count()).expect("the text is short");
    let chunk = Chunk {
        ordinal,
        span: Span { start: 0, end },
        text: text.to_owned(),
    };
    IndexedChunk {
        document,
        chunk,
        embedding: values.map(embedding),
    }
}

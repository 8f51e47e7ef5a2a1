use std::collections::BTreeMap;
use std::sync::Arc;

use tenantry_domain::{
    Actor, ChatSettings, Chunk, ChunkHash, DocumentId, DocumentVersion, Embedding, Ingesters, Metadata,
    MetadataValue, PineconeSettings, SearchSettings, Span, Tenant, TenantId, TenantScope, Timestamp,
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
        search: SearchSettings::default(),
        chat: ChatSettings::default(),
        llm: None,
        ingesters: Ingesters::default(),
        is_active: true,
        created_at: at,
        updated_at: at,
    });
    tenant.activate(Actor::system()).expect("the tenant is active")
}

/// The `n`-th document; a greater `n` sorts later.
pub fn document(n: u8) -> DocumentId {
    format!("01890000-0000-7000-8000-0000000000{n:02x}")
        .parse()
        .expect("the id is canonical")
}

/// That version of the `n`-th document.
pub fn version(n: u8, version: u32) -> DocumentVersion {
    DocumentVersion {
        document: document(n),
        version,
    }
}

/// An embedding of those numbers.
pub fn embedding(values: &[f32]) -> Embedding {
    Embedding::new(values.to_vec()).expect("the numbers have a direction")
}

/// Metadata of those keys and values.
pub fn metadata<const N: usize>(values: [(&str, MetadataValue); N]) -> Metadata {
    let values = values.map(|(key, value)| (key.to_owned(), value));
    Metadata::new(BTreeMap::from(values)).expect("the metadata is within its bounds")
}

/// A chunk with that text and embedding, below no heading, whose hash is of its text.
pub fn chunk(ordinal: u32, text: &str, values: Option<&[f32]>) -> IndexedChunk {
    let end = u32::try_from(text.chars().count()).expect("the text is short");
    let chunk = Chunk {
        ordinal,
        span: Span { start: 0, end },
        text: text.to_owned(),
        headings: Vec::new(),
        page: None,
    };
    IndexedChunk {
        chunk,
        context: String::new(),
        hash: hash(text),
        embedding: values.map(embedding),
    }
}

/// A hash of `text` (FNV-1a, good enough where nobody attacks it).
pub fn hash(text: &str) -> ChunkHash {
    let fold = |hash: u128, byte: u8| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    };
    let hash = text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, fold);
    ChunkHash::from_bytes(hash.to_be_bytes())
}

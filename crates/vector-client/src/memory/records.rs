use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use tenantry_domain::{Embedding, ExternalIndex, MetadataValue};

use crate::{Record, RecordIndex, RecordQuery, VectorError, fusion, records};

/// Keeps records in memory as another tool would have written them, and finds the nearest.
///
/// # Examples
/// ```
/// use std::collections::BTreeMap;
/// use tenantry_domain::{Embedding, ExternalIndex, MetadataValue, TopK};
/// use tenantry_vector_client::{MemoryRecordIndex, RecordIndex, RecordQuery};
///
/// let records = MemoryRecordIndex::default();
/// let fields = BTreeMap::from([("text".to_owned(), MetadataValue::Text("Refunds take five days.".into()))]);
/// records.put("", "faq#1", &Embedding::new(vec![1.0, 0.0])?, fields)?;
///
/// let index = ExternalIndex { namespace: String::new(), text_field: ExternalIndex::TEXT_FIELD.to_owned() };
/// let wanted = Embedding::new(vec![0.9, 0.1])?;
/// let query = RecordQuery { embedding: &wanted, limit: TopK::new(3)?, filter: None, with_embeddings: false };
/// assert_eq!(records.search(&index, query)?[0].id, "faq#1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryRecordIndex {
    namespaces: RwLock<BTreeMap<String, BTreeMap<String, Stored>>>,
}

#[derive(Debug)]
struct Stored {
    embedding: Embedding,
    fields: BTreeMap<String, MetadataValue>,
}

impl MemoryRecordIndex {
    /// Stores a record with any fields, replacing that of the same id.
    ///
    /// # Errors
    /// [`VectorError::DimensionMismatch`] when the other records have embeddings of another dimension.
    pub fn put(
        &self,
        namespace: &str,
        id: &str,
        embedding: &Embedding,
        fields: BTreeMap<String, MetadataValue>,
    ) -> Result<(), VectorError> {
        let mut namespaces = self.namespaces.write().unwrap_or_else(PoisonError::into_inner);
        let mut stored = namespaces.values().flat_map(BTreeMap::values);
        check_dimension(stored.next(), embedding)?;
        let embedding = embedding.clone();
        let records = namespaces.entry(namespace.to_owned()).or_default();
        records.insert(id.to_owned(), Stored { embedding, fields });
        Ok(())
    }
}

fn check_dimension(stored: Option<&Stored>, embedding: &Embedding) -> Result<(), VectorError> {
    let actual = embedding.dimension();
    match stored.map(|stored| stored.embedding.dimension()) {
        Some(expected) if expected != actual => Err(VectorError::DimensionMismatch { expected, actual }),
        _ => Ok(()),
    }
}

impl RecordIndex for MemoryRecordIndex {
    fn search(&self, index: &ExternalIndex, query: RecordQuery<'_>) -> Result<Vec<Record>, VectorError> {
        let namespaces = self.namespaces.read().unwrap_or_else(PoisonError::into_inner);
        check_dimension(
            namespaces.values().flat_map(BTreeMap::values).next(),
            query.embedding,
        )?;
        let Some(stored) = namespaces.get(&index.namespace) else {
            return Ok(Vec::new());
        };
        let mut ranking: Vec<_> = stored
            .iter()
            .filter(|(_, stored)| records::passes(query.filter, &stored.fields))
            .filter_map(|(id, stored)| Some((id, stored.embedding.cosine(query.embedding)?)))
            .collect();
        fusion::rank(&mut ranking);
        let found = ranking.into_iter().filter_map(|(id, score)| {
            let Stored { embedding, fields } = stored.get(id)?;
            let record = records::record(id, fields, &index.text_field, score)?;
            let embedding = query.with_embeddings.then(|| embedding.clone());
            Some(Record { embedding, ..record })
        });
        Ok(found.take(usize::from(query.limit.get())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn it_keeps_the_promises_of_a_record_index() {
        let records = MemoryRecordIndex::default();
        for record in conformance::foreign_records() {
            records
                .put(record.namespace, record.id, &record.embedding, record.fields)
                .unwrap();
        }
        conformance::record_index(&records);
    }
}

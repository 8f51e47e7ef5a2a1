use std::cmp::Reverse;
use std::collections::btree_map::Entry;

use tenantry_domain::{Document, DocumentId, DocumentState, Page, Paged, TenantScope};

use super::{MemoryStore, paged};
use crate::text::Texts;
use crate::{Advance, DocumentStore, NewDocument, ReadyDocument, StoreError};

/// A document with its text.
#[derive(Debug)]
pub(super) struct Kept {
    document: Document,
    text: String,
}

impl DocumentStore for MemoryStore {
    fn create_document(&self, scope: &TenantScope, document: &NewDocument) -> Result<(), StoreError> {
        document.refuse_nul()?;
        let mut records = self.records();
        if !records.tenants.contains_key(scope.id()) {
            return Err(StoreError::UnknownTenant);
        }
        match records.documents.entry((scope.id().clone(), document.id)) {
            Entry::Occupied(_) => Err(StoreError::IdTaken),
            Entry::Vacant(place) => {
                place.insert(Kept {
                    document: document.begin(),
                    text: document.text.clone(),
                });
                Ok(())
            }
        }
    }

    fn document(&self, scope: &TenantScope, id: DocumentId) -> Result<Option<Document>, StoreError> {
        let records = self.records();
        Ok(records
            .documents
            .get(&(scope.id().clone(), id))
            .map(|kept| kept.document.clone()))
    }

    fn document_text(&self, scope: &TenantScope, id: DocumentId) -> Result<Option<String>, StoreError> {
        let records = self.records();
        Ok(records
            .documents
            .get(&(scope.id().clone(), id))
            .map(|kept| kept.text.clone()))
    }

    fn documents(&self, scope: &TenantScope, page: Page) -> Result<Paged<Document>, StoreError> {
        let records = self.records();
        let mut documents: Vec<_> = records
            .documents
            .iter()
            .filter(|((tenant, _), kept)| {
                tenant == scope.id() && kept.document.state != DocumentState::Deleting
            })
            .map(|(_, kept)| &kept.document)
            .collect();
        documents.sort_by_key(|document| Reverse((document.created_at, document.id)));
        Ok(paged(&documents, page))
    }

    fn ready_documents(
        &self,
        scope: &TenantScope,
        ids: &[DocumentId],
    ) -> Result<Vec<ReadyDocument>, StoreError> {
        let records = self.records();
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        Ok(ids
            .into_iter()
            .filter_map(|id| records.documents.get(&(scope.id().clone(), id)))
            .filter(|kept| kept.document.state == DocumentState::Ready)
            .map(|kept| ReadyDocument {
                id: kept.document.id,
                title: kept.document.title.clone(),
            })
            .collect())
    }

    fn advance_document(
        &self,
        scope: &TenantScope,
        id: DocumentId,
        advance: &Advance,
    ) -> Result<bool, StoreError> {
        advance.refuse_nul()?;
        let mut records = self.records();
        let Some(kept) = records.documents.get_mut(&(scope.id().clone(), id)) else {
            return Ok(false);
        };
        let document = &mut kept.document;
        if document.state == DocumentState::Deleting && advance.state != DocumentState::Deleting {
            return Ok(false);
        }
        document.state = advance.state;
        document.chunks = advance.chunks.unwrap_or(document.chunks);
        document.failure.clone_from(&advance.failure);
        document.updated_at = advance.at;
        Ok(true)
    }

    fn remove_document(&self, scope: &TenantScope, id: DocumentId) -> Result<bool, StoreError> {
        Ok(self
            .records()
            .documents
            .remove(&(scope.id().clone(), id))
            .is_some())
    }
}

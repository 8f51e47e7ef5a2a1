use std::collections::BTreeSet;

use tenantry_domain::{
    AuditHash, ConversationId, DocumentId, DocumentState, DocumentVersion, IdentityProviderId, Segment,
    TenantId,
};
use tenantry_tenant_store::{ArchivedDocument, ArchivedRecord, audit_hash};

use super::wire::Line;
use crate::text::{clean, line};

/// What an archive's lines must be to each other: in order, whole, and each behind what it belongs to.
#[derive(Debug)]
pub(super) struct Sequence {
    tenant: TenantId,
    place: Option<u8>,
    document: Option<Reading>,
    conversation: Option<ConversationId>,
    providers: BTreeSet<IdentityProviderId>,
    audit: (u64, AuditHash),
}

/// A document whose segments are coming.
#[derive(Debug)]
struct Reading {
    of: DocumentVersion,
    segments: u32,
    characters: u32,
    next: u32,
    at: u32,
}

type Checked = Result<(), &'static str>;

impl Sequence {
    /// Before the first line of an archive of that tenant.
    pub(super) fn new(tenant: TenantId) -> Self {
        Self {
            tenant,
            place: None,
            document: None,
            conversation: None,
            providers: BTreeSet::new(),
            audit: (0, AuditHash::START),
        }
    }

    /// Whether the line may come now, as far as its kind tells.
    pub(super) fn admit(&mut self, line: &Line) -> Checked {
        let (_, place) = line.kind();
        match (self.place, line) {
            (None, Line::Tenant(tenant)) if tenant.id == self.tenant => {}
            (None, _) => return Err("the tenant does not come first"),
            (Some(_), Line::Tenant(_)) => return Err("there is a second tenant"),
            (Some(last), _) if place < last => return Err("it comes too late"),
            (Some(_), Line::Chunk(chunk)) if self.reads() != Some(chunk.document) => {
                return Err("it belongs to no document before it");
            }
            (Some(_), _) => {}
        }
        if self.place != Some(place) {
            self.finish_document()?;
        }
        self.place = Some(place);
        Ok(())
    }

    /// Whether the record may come now.
    pub(super) fn follow(&mut self, record: &ArchivedRecord) -> Checked {
        match record {
            ArchivedRecord::Document(document) => self.document(document),
            ArchivedRecord::Segment { of, segment } => self.segment(*of, segment),
            ArchivedRecord::Conversation(conversation) => {
                self.conversation = Some(conversation.id);
                match line("title", &conversation.title, 200, "") {
                    Ok(title) if title == conversation.title => Ok(()),
                    _ => Err("its title is not 1 to 200 characters on one line"),
                }
            }
            ArchivedRecord::Message { conversation, .. } if self.conversation != Some(*conversation) => {
                Err("it belongs to no conversation before it")
            }
            ArchivedRecord::IdentityProvider(provider) => {
                self.providers.insert(provider.id);
                Ok(())
            }
            ArchivedRecord::Identity(identity) if !self.providers.contains(&identity.provider) => {
                Err("it belongs to no identity provider before it")
            }
            ArchivedRecord::Audit(entry) => {
                let (number, hash) = self.audit;
                let follows = Some(entry.number) == number.checked_add(1) && entry.previous == hash;
                if !follows || entry.hash != audit_hash(entry) {
                    return Err("it does not follow the entry before it");
                }
                self.audit = (entry.number, entry.hash);
                Ok(())
            }
            ArchivedRecord::Tenant(_)
            | ArchivedRecord::User(_)
            | ArchivedRecord::Prompt(_)
            | ArchivedRecord::Message { .. }
            | ArchivedRecord::Usage(_)
            | ArchivedRecord::ApiKey(_)
            | ArchivedRecord::Identity(_) => Ok(()),
        }
    }

    /// Whether the archive may end now.
    pub(super) fn end(&mut self) -> Checked {
        if self.place.is_none() {
            return Err("there is no tenant");
        }
        self.finish_document()
    }

    fn reads(&self) -> Option<DocumentId> {
        self.document.as_ref().map(|reading| reading.of.document)
    }

    fn document(&mut self, archived: &ArchivedDocument) -> Checked {
        self.finish_document()?;
        let document = &archived.document;
        let is_sound = match document.state {
            DocumentState::Ready => document.version > 0 && document.failure.is_none(),
            DocumentState::Failed => document.version == 0 && archived.segments == 0 && document.chunks == 0,
            DocumentState::Pending
            | DocumentState::Extracting
            | DocumentState::Indexing
            | DocumentState::Deleting => false,
        };
        if !is_sound {
            return Err("a document is ready with a version, or failed without one");
        }
        self.document = Some(Reading {
            of: DocumentVersion {
                document: document.id,
                version: document.version,
            },
            segments: archived.segments,
            characters: if archived.segments == 0 {
                0
            } else {
                document.characters
            },
            next: 0,
            at: 0,
        });
        Ok(())
    }

    fn segment(&mut self, of: DocumentVersion, segment: &Segment) -> Checked {
        let Some(reading) = self.document.as_mut().filter(|reading| reading.of == of) else {
            return Err("it belongs to no document before it");
        };
        if segment.ordinal != reading.next || segment.start != reading.at {
            return Err("it does not go on where the segment before it ends");
        }
        // What hides instructions from a reader is taken out of every text that comes in.
        if clean(&segment.text) != segment.text {
            return Err("its text has invisible characters");
        }
        let characters = u32::try_from(segment.text.chars().count()).unwrap_or(u32::MAX);
        reading.next = reading.next.saturating_add(1);
        reading.at = reading.at.saturating_add(characters);
        Ok(())
    }

    fn finish_document(&mut self) -> Checked {
        match self.document.take() {
            Some(reading) if reading.next != reading.segments || reading.at != reading.characters => {
                Err("the document before it lacks segments")
            }
            _ => Ok(()),
        }
    }
}

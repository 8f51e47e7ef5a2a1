//! What becomes of the turns of tenants whose records cannot be read.

use std::sync::Arc;

use tenantry_domain::{Actor, ContentHash, DocumentId, JobId, Metadata, SourceId, TenantScope};

use super::*;
use crate::conformance::samples;
use crate::{Claim, ClaimedJob, DocumentStore, JobQueue, Submission};

fn with_a_job(store: &SqlStore, id: &str) -> TenantScope {
    let tenant = samples::tenant(id);
    store.create_tenant(&tenant, &Actor::system()).unwrap();
    let scope = Arc::new(tenant).activate(Actor::system()).unwrap();
    let submission = Submission {
        source: SourceId::generate(now()),
        document: DocumentId::generate(now()),
        job: JobId::generate(now()),
        external_id: None,
        title: None,
        file_name: None,
        declared: None,
        metadata: Metadata::default(),
        hash: ContentHash::from_bytes([9; 32]),
        at: now(),
    };
    store.submit(&scope, &submission).unwrap();
    scope
}

fn claim(store: &SqlStore) -> Result<Option<ClaimedJob>, StoreError> {
    let later =
        |seconds: i64| Timestamp::from_unix_micros(now().unix_micros() + seconds * 1_000_000).unwrap();
    store.claim(&Claim {
        tenant: None,
        now: later(1),
        lease_until: later(60),
    })
}

#[test]
fn a_job_that_cannot_be_read_stops_its_own_tenant_alone() {
    let (store, _folder) = migrated();
    // More tenants than are looked at between two looks at the queue, all of them before the sound one.
    for n in 0..40 {
        with_a_job(&store, &format!("broken-{n}"));
    }
    sql(&store, "UPDATE jobs SET metadata = 'not json'");
    let sound = with_a_job(&store, "sound");
    let answers: Vec<_> = (0..4).map(|_| claim(&store)).collect();
    let given: Vec<_> = answers.iter().flatten().flatten().collect();
    assert_eq!(given.len(), 1, "{answers:?}");
    assert_eq!(given[0].tenant, *sound.id());
    // What is wrong is said when nobody else has something to do.
    assert!(matches!(claim(&store), Err(StoreError::Failed(_))));
}

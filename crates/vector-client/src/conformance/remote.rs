use secrecy::SecretString;
use tenantry_domain::{ExternalIndex, Generation, Metadata};

use super::fixture::{chunk, embedding, scope, version};
use super::subject::{NORTH, hybrid, top};
use crate::{RecordQuery, RemoteStores, VectorError};

/// Checks every promise of [`RemoteStores`], on an empty store at `host` that takes `api_key` and embeddings of three numbers.
pub fn remote_stores(remote: &dyn RemoteStores, host: &str, api_key: &SecretString) {
    opening_for_reading_changes_nothing(remote, host, api_key);
    what_is_stored_is_found_through_another_opening(remote, host, api_key);
    what_cannot_be_a_key_or_a_host_is_refused(remote, host, api_key);
}

/// An index that nothing was written to has no records.
pub fn opening_for_reading_changes_nothing(remote: &dyn RemoteStores, host: &str, api_key: &SecretString) {
    let records = remote
        .open_external(host, api_key)
        .expect("host and key are good");
    let index = ExternalIndex {
        namespace: String::new(),
        text_field: ExternalIndex::TEXT_FIELD.to_owned(),
    };
    let wanted = embedding(&NORTH);
    let query = RecordQuery {
        embedding: &wanted,
        limit: top(5),
        filter: None,
        with_embeddings: false,
    };
    for _ in 0..2 {
        assert_eq!(records.search(&index, query).expect("the store answers"), []);
    }
}

/// Two openings of a host with the same key are the same store.
pub fn what_is_stored_is_found_through_another_opening(
    remote: &dyn RemoteStores,
    host: &str,
    api_key: &SecretString,
) {
    let acme = scope("acme");
    let index = acme.index(Generation::FIRST);
    let open = || remote.open(host, api_key).expect("host and key are good");
    open()
        .upsert(
            index,
            version(1, 1),
            &Metadata::default(),
            &[chunk(0, "north", Some(&NORTH))],
        )
        .expect("the store takes a chunk");
    let wanted = embedding(&NORTH);
    let matches = open()
        .search(index, hybrid("north", &wanted, 5))
        .expect("the store answers");
    let found: Vec<_> = matches.iter().map(|found| found.of).collect();
    assert_eq!(found, [version(1, 1)]);
}

/// A key that no header can carry and an empty host are refused at the opening.
pub fn what_cannot_be_a_key_or_a_host_is_refused(
    remote: &dyn RemoteStores,
    host: &str,
    api_key: &SecretString,
) {
    for key in ["", "two words", "line\nfeed", "schlüssel"] {
        let refused = remote.open(host, &key.into()).map(drop);
        assert!(matches!(refused, Err(VectorError::Unauthorized(_))), "{key:?}");
        let refused = remote.open_external(host, &key.into()).map(drop);
        assert!(matches!(refused, Err(VectorError::Unauthorized(_))), "{key:?}");
    }
    let refused = [
        remote.open("", api_key).map(drop),
        remote.open_external("", api_key).map(drop),
    ];
    assert!(
        refused
            .iter()
            .all(|answer| matches!(answer, Err(VectorError::Refused(_))))
    );
}

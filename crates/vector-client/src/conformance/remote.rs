use secrecy::SecretString;
use tenantry_domain::TopK;

use super::{chunk, document, embedding, scope};
use crate::{RemoteStores, VectorError, VectorQuery};

/// Checks every promise of [`RemoteStores`], on an empty store at `host` that takes `api_key` and embeddings of three numbers.
pub fn remote_stores(remote: &dyn RemoteStores, host: &str, api_key: &SecretString) {
    what_is_stored_is_found_through_another_opening(remote, host, api_key);
    what_cannot_be_a_key_or_a_host_is_refused(remote, host, api_key);
}

/// Two openings of a host with the same key are the same store.
pub fn what_is_stored_is_found_through_another_opening(
    remote: &dyn RemoteStores,
    host: &str,
    api_key: &SecretString,
) {
    let acme = scope("acme");
    let open = || remote.open(host, api_key).expect("host and key are good");
    let north = [1.0, 0.0, 0.0];
    open()
        .upsert(&acme, &[chunk(document(1), 0, "north", Some(&north))])
        .expect("the store takes a chunk");
    let wanted = embedding(&north);
    let query = VectorQuery {
        text: "north",
        embedding: Some(&wanted),
        limit: TopK::new(5).expect("five is in range"),
    };
    let matches = open().search(&acme, query).expect("the store answers");
    let found: Vec<_> = matches.iter().map(|found| found.document).collect();
    assert_eq!(found, [document(1)]);
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
    }
    let refused = remote.open("", api_key).map(drop);
    assert!(matches!(refused, Err(VectorError::Refused(_))));
}

use tenantry_domain::Cancellation;

use super::completer::{prompt, stream};
use super::embedder::embed;
use crate::{InvalidBaseUrl, LlmError, ProviderAddress, Providers};

/// Runs every obligation of [`Providers`]. At `one` every model answers with the host of `one` in its text, at `other` with that
/// of `other`; both were chosen by a tenant.
pub fn providers(subject: &dyn Providers, one: &ProviderAddress, other: &ProviderAddress) {
    each_address_is_answered_by_its_own_provider(subject, one, other);
    each_address_has_its_own_embeddings(subject, one, other);
    an_address_that_is_not_allowed_is_refused(subject);
}

/// What was opened at an address is answered from there, whatever else is opened and in which order, and does not answer for
/// another.
pub fn each_address_is_answered_by_its_own_provider(
    subject: &dyn Providers,
    one: &ProviderAddress,
    other: &ProviderAddress,
) {
    let open = |address: &ProviderAddress| subject.completer(address, "chat").expect("a model");
    let host = |address: &ProviderAddress| address.base_url().host_str().unwrap_or_default().to_owned();
    let (first, second, again) = (open(one), open(other), open(one));
    for (model, address) in [(&second, other), (&first, one), (&again, one), (&second, other)] {
        let text = model.complete(&prompt()).expect("an answer").text;
        assert!(
            text.contains(&host(address)),
            "{} was answered by another: {text}",
            host(address)
        );
        let (heard, completion) = stream(model.as_ref(), &Cancellation::new(), usize::MAX);
        assert_eq!(heard.concat(), completion.expect("an answer").text);
        assert!(heard.concat().contains(&host(address)));
    }
}

/// An embedder can be opened at an address, and says there what it says elsewhere: who it is.
pub fn each_address_has_its_own_embeddings(
    subject: &dyn Providers,
    one: &ProviderAddress,
    other: &ProviderAddress,
) {
    for address in [one, other, one] {
        assert_eq!(subject.check(address), Ok(()));
        let embedder = subject.embedder(address, "embedding").expect("a model");
        assert_eq!(embed(embedder.as_ref(), &["a", "b"]).len(), 2);
    }
}

/// A tenant's address that is not `https` is refused, by the check and by every opening alike.
pub fn an_address_that_is_not_allowed_is_refused(subject: &dyn Providers) {
    let address = ProviderAddress::of_tenant("http://llm.example.org/v1", None).expect("an address");
    assert_eq!(subject.check(&address), Err(InvalidBaseUrl::NotHttps));
    let completer = subject.completer(&address, "chat");
    assert!(matches!(completer.err(), Some(LlmError::Refused(_))));
    let embedder = subject.embedder(&address, "embedding");
    assert!(matches!(embedder.err(), Some(LlmError::Refused(_))));
}

use tenantry_http_client::MemoryTransport;

use super::*;
use crate::{ChosenBy, InvalidBaseUrl, ProviderAddress, Providers};

fn address(base_url: &str, key: Option<&str>) -> ProviderAddress {
    ProviderAddress::of_tenant(base_url, key.map(|key| key.to_owned().into())).unwrap()
}

/// Answers in the name of the host that was asked.
fn by_host() -> Arc<MemoryTransport> {
    Arc::new(MemoryTransport::new(|request| {
        let host = request.header("host").unwrap_or_default().to_owned();
        if request.path().ends_with("embeddings") {
            return Ok(embeddings(request, true));
        }
        let text = format!("I am {host}.");
        if request.json()["stream"] == true {
            return Ok(Answer::events([content(&text), stop()]));
        }
        Ok(whole(&json!({"content": text}), "stop"))
    }))
}

fn providers(transport: Arc<MemoryTransport>) -> OpenAiProviders {
    let defaults = OpenAiSettings {
        api_key: Some("sk-of-the-operator".to_owned().into()),
        temperature: Some(0.25),
        ..OpenAiSettings::new(
            "https://operator.test/v1".parse().unwrap(),
            "operator-chat",
            "operator-embedding",
        )
    };
    OpenAiProviders::new(transport, defaults)
}

#[test]
fn the_providers_conform() {
    let subject = providers(by_host());
    let (one, other) = (
        address("https://one.test/v1", None),
        address("https://other.test/v1", Some("sk-other")),
    );
    conformance::providers(&subject, &one, &other);
}

#[test]
fn a_call_goes_to_its_address_with_its_key_and_model_and_with_no_other() {
    let transport = by_host();
    let subject = providers(transport.clone());
    let opened = address("https://one.test/base", Some("sk-one"));
    subject
        .completer(&opened, "their-chat")
        .unwrap()
        .complete(&prompt())
        .unwrap();
    subject
        .embedder(&opened, "their-embedding")
        .unwrap()
        .embed(&["a"])
        .unwrap();
    let keyless = address("https://other.test/", None);
    subject
        .completer(&keyless, "chat")
        .unwrap()
        .complete(&prompt())
        .unwrap();
    let requests = transport.requests();
    let seen = |request: &Recorded| {
        let word = |name| request.header(name).unwrap_or_default().to_owned();
        (
            word("host"),
            request.path().to_owned(),
            word("authorization"),
            request.json()["model"].clone(),
        )
    };
    let expected =
        |host: &str, path: &str, key: &str, model: &str| (host.into(), path.into(), key.into(), json!(model));
    assert_eq!(
        requests.iter().map(seen).collect::<Vec<_>>(),
        [
            expected(
                "one.test",
                "/base/chat/completions",
                "Bearer sk-one",
                "their-chat"
            ),
            expected("one.test", "/base/embeddings", "Bearer sk-one", "their-embedding"),
            // The operator's key is not sent where a tenant has none.
            expected("other.test", "/chat/completions", "", "chat"),
        ]
    );
    assert_eq!(requests[0].json()["temperature"], 0.25);
}

#[test]
fn a_tenant_reaches_public_addresses_and_those_that_the_operator_allows() {
    let subject = providers(by_host());
    let allowing = providers(by_host()).with_allowed_origins([
        Url::parse("http://10.0.0.5:8000").unwrap().origin(),
        Url::parse("https://models.internal").unwrap().origin(),
    ]);
    let check = |base_url: &str, strict, allowed| {
        let address = address(base_url, None);
        assert_eq!(subject.check(&address), strict, "{base_url}");
        assert_eq!(allowing.check(&address), allowed, "{base_url}");
        assert_eq!(subject.completer(&address, "m").is_ok(), strict.is_ok());
        assert_eq!(allowing.embedder(&address, "m").is_ok(), allowed.is_ok());
    };
    let (not_https, not_public) = (Err(InvalidBaseUrl::NotHttps), Err(InvalidBaseUrl::NotPublic));
    check("https://llm.example.org/v1", Ok(()), Ok(()));
    check("http://10.0.0.5:8000/v1", not_https, Ok(()));
    check("http://10.0.0.5:8001/v1", not_https, not_https);
    check("http://10.0.0.5/v1", not_https, not_https);
    check("https://10.0.0.5:8000/v1", not_public, not_public);
    check("https://127.0.0.1/v1", not_public, not_public);
    check("https://[::1]/v1", not_public, not_public);
    check("https://169.254.169.254/v1", not_public, not_public);
    check("https://2130706433/v1", not_public, not_public);
    // A name is looked up when it is called; that of an allowed origin may lead anywhere.
    check("https://models.internal/v1", Ok(()), Ok(()));
    let own = ProviderAddress::of_operator("http://127.0.0.1:8080/v1".parse().unwrap(), None);
    assert_eq!(
        (own.chosen_by(), subject.check(&own)),
        (ChosenBy::Operator, Ok(()))
    );
}

#[test]
fn the_transport_is_told_how_far_an_address_is_trusted() {
    let server = StubServer::start(completion);
    let subject = OpenAiProviders::new(Arc::new(UreqTransport::new()), settings(&server));
    let url = server.url("/v1");
    let forged = ProviderAddress::of_tenant(url.as_str(), None).unwrap();
    assert!(matches!(
        subject.completer(&forged, "m").err(),
        Some(LlmError::Refused(_))
    ));
    let allowing = subject.with_allowed_origins([url.origin()]);
    let model = allowing.completer(&forged, "m").unwrap();
    assert_eq!(model.complete(&prompt()).unwrap().text, "Within 30 days [1].");
    // A name that leads to a private address is found out by whoever looks it up.
    let named = ProviderAddress::of_tenant("https://localhost/v1", None).unwrap();
    let outcome = allowing.completer(&named, "m").unwrap().complete(&prompt());
    assert!(matches!(outcome, Err(LlmError::Refused(_))), "{outcome:?}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn what_is_no_base_url_is_said_in_words_that_help() {
    let check = |base_url: &str, expected: InvalidBaseUrl| {
        assert_eq!(
            ProviderAddress::of_tenant(base_url, None).err(),
            Some(expected),
            "{base_url}"
        );
    };
    for url in [
        "",
        "llm.example.org/v1",
        "ftp://a.test",
        "mailto:a@a.test",
        "https://",
        "/v1",
        "file:///etc/passwd",
    ] {
        check(url, InvalidBaseUrl::NotAUrl);
    }
    check("https://user:secret@a.test/v1", InvalidBaseUrl::Credentials);
    check("https://user@a.test/v1", InvalidBaseUrl::Credentials);
    check("https://a.test/v1?key=x", InvalidBaseUrl::Query);
    check("https://a.test/v1#x", InvalidBaseUrl::Query);
}

#[test]
fn nothing_that_can_be_shown_of_an_address_holds_a_secret() {
    let opened = address("https://one.test/path-marker", Some("sk-marker"));
    let subject = providers(by_host());
    let shown = format!("{opened:?} {subject:?}");
    assert!(shown.contains("https://one.test"), "{shown}");
    assert!(!shown.contains("marker") && !shown.contains("sk-of"), "{shown}");
}

//! Which models answer for whom; above all, which never do.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tenantry_crypto::{Field, Sealer};
use tenantry_domain::{LlmProvider, MessageStatus, SealedSecret};
use tenantry_llm_client::{Budget, LlmError, MemoryProviders, ProviderAddress};
use tenantry_retrieval::{Answer, ChatError, ChatModels, Question};
use tenantry_tenant_store::TenantChange;

use super::bench::{Bench, QUESTION, Said, Scripted, breaks_off, down, says};
use crate::support::World;

const SERVER: &str = "llm.server.example";
const OWN: &str = "llm.acme.example";

/// A server with a provider, and a tenant that may have one of its own.
struct Market {
    bench: Bench,
    server: Arc<Scripted>,
    own: Arc<Scripted>,
    providers: Arc<MemoryProviders>,
}

impl Market {
    fn new(own: impl Fn() -> Said + Send + Sync + 'static) -> Self {
        let server = Scripted::named("server", |_| says(&["The server says three euros [1]."]));
        let own = Scripted::named("own", move |_| own());
        let providers = MemoryProviders::new()
            .with_completer(SERVER, server.clone())
            .with_completer(OWN, own.clone());
        let providers = Arc::new(providers);
        let world = World::new();
        let address = ProviderAddress::of_operator(
            format!("https://{SERVER}/v1").parse().unwrap(),
            Some(SecretString::from("sk-server")),
        );
        let models = ChatModels::provider(providers.clone(), address, "server-model")
            .with_own(providers.clone(), world.sealer.clone());
        Self {
            bench: Bench::in_world(world, models),
            server,
            own,
            providers,
        }
    }

    /// The tenant brings a provider with this key, and names models.
    fn bring(&self, key: &SealedKey, models: &[&str], server_too: bool) {
        self.bench.set("acme", |chat| {
            chat.models = models.iter().map(|&model| model.to_owned()).collect();
            chat.server_provider = server_too;
        });
        let provider = LlmProvider {
            base_url: key.base_url.clone(),
            api_key: key.sealed.clone(),
        };
        let llm = Some(Some(provider));
        self.bench.change(
            "acme",
            &TenantChange {
                llm,
                ..TenantChange::default()
            },
        );
    }

    fn ask(&self) -> Result<Answer, ChatError> {
        self.bench.ask(Question::alone(QUESTION))
    }

    /// The hosts, models and keys that were opened since the last call.
    fn opened(&self, from: usize) -> Vec<(String, String, Option<String>)> {
        let opened = self.providers.opened().into_iter().skip(from);
        opened
            .map(|model| (model.base_url, model.model, model.api_key))
            .collect()
    }

    fn key_of(&self, tenant: &str) -> SealedKey {
        let secret = SecretString::from(format!("sk-{tenant}"));
        let id = tenant.parse().unwrap();
        let sealed = self
            .bench
            .world
            .sealer
            .seal(Field::llm_api_key(&id), &secret)
            .unwrap();
        SealedKey {
            base_url: format!("https://{OWN}/v1"),
            sealed: Some(SealedSecret {
                sealed,
                last_four: String::new(),
            }),
        }
    }
}

struct SealedKey {
    base_url: String,
    sealed: Option<SealedSecret>,
}

fn own_says() -> Said {
    says(&["Our own says three euros [1]."])
}

#[test]
fn without_a_provider_of_its_own_a_tenant_is_answered_by_the_servers_default() {
    let market = Market::new(own_says);
    assert_eq!(market.bench.chat.models(&market.bench.scope()), ["server-model"]);
    assert!(market.ask().unwrap().text.starts_with("The server"));
    assert_eq!(
        market.opened(0),
        [(
            format!("https://{SERVER}/v1"),
            "server-model".to_owned(),
            Some("sk-server".to_owned())
        )]
    );
    assert!(market.own.prompts().is_empty());
}

#[test]
fn or_by_the_models_that_it_names_in_their_order() {
    let market = Market::new(own_says);
    market
        .bench
        .set("acme", |chat| chat.models = vec!["large".into(), "small".into()]);
    assert_eq!(
        market.bench.chat.models(&market.bench.scope()),
        ["large", "small"]
    );
    market.ask().unwrap();
    let models: Vec<String> = market.opened(0).into_iter().map(|opened| opened.1).collect();
    assert_eq!(models, ["large", "small"]);
}

#[test]
fn a_model_asked_for_by_name_answers_first_and_only_those_after_it_may_follow() {
    let market = Market::new(own_says);
    market.bench.set("acme", |chat| {
        chat.models = vec!["a".into(), "b".into(), "c".into()];
    });
    let asked = |name: &str| {
        market.bench.ask(Question {
            model: Some(name.into()),
            ..Question::alone(QUESTION)
        })
    };
    asked("b").unwrap();
    let models: Vec<String> = market.opened(0).into_iter().map(|opened| opened.1).collect();
    assert_eq!(models, ["b", "c"]);
    for unknown in ["server-model", "d", "", "A"] {
        assert!(
            matches!(asked(unknown), Err(ChatError::UnknownModel)),
            "{unknown}"
        );
    }
}

#[test]
fn a_tenants_own_provider_gets_its_own_key_and_the_servers_gets_nothing() {
    let market = Market::new(own_says);
    market.bring(&market.key_of("acme"), &["own-model"], false);
    assert_eq!(market.bench.chat.models(&market.bench.scope()), ["own-model"]);
    let answer = market.ask().unwrap();
    assert!(answer.text.starts_with("Our own"));
    assert_eq!(
        market.opened(0),
        [(
            format!("https://{OWN}/v1"),
            "own-model".to_owned(),
            Some("sk-acme".to_owned())
        )]
    );
    assert!(market.server.prompts().is_empty());
}

#[test]
fn whatever_its_own_provider_does_the_servers_is_not_asked_unless_the_tenant_allows_it() {
    let boxed = || -> tenantry_domain::BoxError { "scripted".into() };
    let failures: [fn(tenantry_domain::BoxError) -> LlmError; 8] = [
        LlmError::Unauthorized,
        LlmError::QuotaExceeded,
        LlmError::UnknownModel,
        LlmError::TooLong,
        LlmError::Refused,
        LlmError::Protocol,
        LlmError::Truncated,
        LlmError::Unavailable,
    ];
    for failure in failures {
        let market = Market::new(move || breaks_off(&[], failure(boxed())));
        market.bring(&market.key_of("acme"), &["one", "two"], false);
        assert!(matches!(market.ask(), Err(ChatError::Complete(_))));
        assert!(market.server.prompts().is_empty());
        let hosts = market.opened(0);
        assert!(hosts.iter().all(|opened| opened.0.contains(OWN)), "{hosts:?}");
    }
}

#[test]
fn where_the_tenant_allows_it_the_servers_default_answers_after_its_own() {
    let market = Market::new(|| breaks_off(&[], down()));
    market.bring(&market.key_of("acme"), &["own-model"], true);
    let answer = market.ask().unwrap();
    assert!(answer.text.starts_with("The server"));
    assert_eq!(answer.model, "server-2026", "the answer names who wrote it");
    assert_eq!(market.own.prompts().len(), 1);
    let opened = market.opened(0);
    assert_eq!(
        (
            opened[0].2.as_deref(),
            opened[1].1.as_str(),
            opened[1].2.as_deref()
        ),
        (Some("sk-acme"), "server-model", Some("sk-server"))
    );
    // The server's model is no name of the tenant's list.
    let asked = market.bench.ask(Question {
        model: Some("server-model".into()),
        ..Question::alone(QUESTION)
    });
    assert!(matches!(asked, Err(ChatError::UnknownModel)));
}

#[test]
fn half_an_answer_is_not_finished_by_another_provider() {
    let market = Market::new(|| breaks_off(&["Our own ", "says "], down()));
    market.bring(&market.key_of("acme"), &["own-model"], true);
    let mut turn = market.bench.retrieved(Question::opening(QUESTION));
    let (heard, outcome) = super::bench::spoken(&mut turn);
    assert!(outcome.is_err());
    assert_eq!(heard.concat(), "Our own says ");
    assert!(market.server.prompts().is_empty());
    assert_eq!(market.bench.settle(turn).status, MessageStatus::Failed);
}

#[test]
fn a_key_that_does_not_open_is_an_error_whatever_the_tenant_allows() {
    for server_too in [false, true] {
        let market = Market::new(own_says);
        // Sealed for another tenant.
        market.bring(&market.key_of("globex"), &["own-model"], server_too);
        assert!(matches!(market.ask(), Err(ChatError::SealedKey(_))));
        assert!(market.own.prompts().is_empty() && market.server.prompts().is_empty());
        assert!(market.opened(0).is_empty());
    }
}

#[test]
fn an_address_that_may_not_be_called_is_an_error_whatever_the_tenant_allows() {
    for base_url in ["http://10.0.0.1/v1", "not a url", "https://nobody.example/v1?x"] {
        let market = Market::new(own_says);
        let key = SealedKey {
            base_url: base_url.into(),
            sealed: None,
        };
        market.bring(&key, &["own-model"], true);
        assert!(
            matches!(market.ask(), Err(ChatError::Complete(LlmError::Refused(_)))),
            "{base_url}"
        );
        assert!(market.server.prompts().is_empty());
    }
}

#[test]
fn a_provider_without_models_is_no_reason_to_ask_another() {
    let market = Market::new(own_says);
    market.bring(&market.key_of("acme"), &[], false);
    assert!(market.bench.chat.models(&market.bench.scope()).is_empty());
    assert!(matches!(
        market.ask(),
        Err(ChatError::Complete(LlmError::Refused(_)))
    ));
    assert!(market.server.prompts().is_empty());
}

#[test]
fn where_tenants_own_providers_are_switched_off_such_a_tenant_is_refused() {
    let server = Scripted::saying(&["The server says three euros [1]."]);
    let bench = Bench::new(server.clone());
    let provider = LlmProvider {
        base_url: format!("https://{OWN}/v1"),
        api_key: None,
    };
    bench.set("acme", |chat| {
        chat.models = vec!["own-model".into()];
        chat.server_provider = true;
    });
    let llm = Some(Some(provider));
    bench.change(
        "acme",
        &TenantChange {
            llm,
            ..TenantChange::default()
        },
    );
    let refused = bench.ask(Question::alone(QUESTION));
    assert!(matches!(refused, Err(ChatError::Complete(LlmError::Refused(_)))));
    assert!(server.prompts().is_empty());
}

#[test]
fn a_rewriting_goes_to_the_tenants_own_provider_too() {
    let market = Market::new(own_says);
    market.bring(&market.key_of("acme"), &["own-model"], false);
    let first = market.bench.ask(Question::opening(QUESTION)).unwrap();
    let id = first.conversation.unwrap().id;
    market.bench.ask(Question::following(id, QUESTION)).unwrap();
    assert_eq!(market.own.prompts().len(), 3);
    assert!(market.server.prompts().is_empty());
}

#[test]
fn a_key_is_opened_only_where_a_model_is_asked() {
    let market = Market::new(own_says);
    market.bring(&market.key_of("globex"), &["own-model"], false);
    let answer = market
        .bench
        .ask(Question::alone("Quantum chromodynamics?"))
        .unwrap();
    assert!(!answer.supported);
    assert!(market.opened(0).is_empty());
}

#[test]
fn several_models_have_the_time_together_that_the_server_is_set_to() {
    let world = World::new();
    let server = Scripted::named("server", |_| breaks_off(&[], down()));
    let providers = Arc::new(MemoryProviders::new().with_completer(SERVER, server.clone()));
    let address = ProviderAddress::of_operator(format!("https://{SERVER}/v1").parse().unwrap(), None);
    let budget = Budget {
        first_token: Some(Duration::from_secs(500)),
        total: Some(Duration::from_mins(15)),
    };
    let models = ChatModels::provider(providers, address, "server-model").within(budget);
    let bench = Bench::in_world(world, models);
    bench.set("acme", |chat| chat.models = vec!["one".into(), "two".into()]);
    assert!(bench.ask(Question::alone(QUESTION)).is_err());
    let prompts = server.prompts();
    assert_eq!(prompts.len(), 2);
    for prompt in prompts {
        let left = prompt.budget.first_token.unwrap();
        // More than what the models have without being told.
        assert!(
            left > Duration::from_mins(1) && left <= Duration::from_secs(500),
            "{left:?}"
        );
        assert!(prompt.budget.total <= budget.total);
    }
}

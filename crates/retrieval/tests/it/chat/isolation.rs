//! Nothing of one tenant is ever in another's request.

use std::sync::Arc;
use std::thread;

use secrecy::SecretString;
use tenantry_crypto::{Field, Sealer};
use tenantry_domain::{Cancellation, LlmProvider, SealedSecret};
use tenantry_llm_client::{LlmError, MemoryProviders};
use tenantry_retrieval::{Asker, ChatError, ChatModels, Question};
use tenantry_tenant_store::TenantChange;

use super::bench::{Bench, QUESTION, Scripted, says};
use crate::support::World;

const ROUNDS: usize = 12;

/// Two tenants that each bring a provider.
fn two_providers(models: [&Arc<Scripted>; 2]) -> (Arc<Bench>, Arc<MemoryProviders>) {
    let [acme, globex] = models.map(Clone::clone);
    let providers = MemoryProviders::new()
        .with_completer("acme.example", acme)
        .with_completer("globex.example", globex);
    let providers = Arc::new(providers);
    let world = World::new();
    let models = ChatModels::extractive().with_own(providers.clone(), world.sealer.clone());
    let bench = Bench::in_world(world, models);
    for id in ["acme", "globex"] {
        let secret = SecretString::from(format!("sk-{id}-key"));
        let tenant = id.parse().unwrap();
        let sealed = bench
            .world
            .sealer
            .seal(Field::llm_api_key(&tenant), &secret)
            .unwrap();
        bench.set(id, |chat| chat.models = vec![format!("{id}-model")]);
        bench.change(
            id,
            &TenantChange {
                system_prompt: Some(Some(format!("PROMPT-{id} for {{user_email}}"))),
                llm: Some(Some(LlmProvider {
                    base_url: format!("https://{id}.example/v1"),
                    api_key: Some(SealedSecret {
                        sealed,
                        last_four: String::new(),
                    }),
                })),
                ..TenantChange::default()
            },
        );
    }
    (Arc::new(bench), providers)
}

#[test]
fn two_tenants_at_once_never_see_each_others_prompt_passage_history_or_key() {
    let acme = Scripted::named("acme", |_| says(&["ANSWER-acme three euros [1]."]));
    let globex = Scripted::named("globex", |_| says(&["ANSWER-globex ten francs [1]."]));
    let (bench, providers) = two_providers([&acme, &globex]);
    let talk = |tenant: &'static str, asker: Asker| {
        let bench = bench.clone();
        thread::spawn(move || {
            let mut conversation = None;
            for round in 0..ROUNDS {
                let message = format!("QUESTION-{tenant} {round}: what does a late return cost?");
                let question = match conversation {
                    None => Question::opening(message),
                    Some(id) => Question::following(id, message),
                };
                let scope = bench.world.scope(tenant);
                let answer = bench.chat.answer(&scope, &asker, question).unwrap();
                assert!(answer.text.contains(&format!("ANSWER-{tenant}")));
                conversation = answer.conversation.map(|conversation| conversation.id);
            }
        })
    };
    let talks = [
        talk("acme", Asker::user(&bench.ada)),
        talk("globex", Asker::user(&bench.grace)),
    ];
    for talk in talks {
        talk.join().unwrap();
    }
    let foreign = |prompts: String, marks: [&str; 5]| {
        for mark in marks {
            assert!(!prompts.contains(mark), "{mark} is in another tenant's request");
        }
    };
    assert!(acme.prompts().len() >= ROUNDS && globex.prompts().len() >= ROUNDS);
    let (of_acme, of_globex) = (format!("{:?}", acme.prompts()), format!("{:?}", globex.prompts()));
    assert!(of_acme.contains("PROMPT-acme for ada@example.org") && of_acme.contains("three euros"));
    foreign(
        of_acme,
        [
            "PROMPT-globex",
            "francs",
            "QUESTION-globex",
            "ANSWER-globex",
            "grace@",
        ],
    );
    foreign(
        of_globex,
        ["PROMPT-acme", "euros", "QUESTION-acme", "ANSWER-acme", "ada@"],
    );
    for opened in providers.opened() {
        let tenant = if opened.base_url.contains("acme") {
            "acme"
        } else {
            "globex"
        };
        assert_eq!(opened.api_key, Some(format!("sk-{tenant}-key")));
        assert_eq!(opened.model, format!("{tenant}-model"));
    }
}

#[test]
fn a_turn_goes_on_in_no_other_tenants_scope() {
    let model = Scripted::saying(&["Three euros [1]."]);
    let bench = Bench::new(model.clone());
    let globex = bench.world.scope("globex");
    let refused = |outcome| matches!(outcome, Err(ChatError::Complete(LlmError::Refused(_))));
    let mut turn = bench.begin(Question::opening(QUESTION));
    assert!(refused(bench.chat.retrieve(
        &globex,
        &mut turn,
        &Cancellation::new()
    )));
    assert!(turn.sources().is_empty());
    let turn = bench.retrieved(Question::alone(QUESTION));
    assert!(refused(bench.chat.settle(&globex, turn).map(drop)));
    assert!(bench.counted("globex").is_empty());
}

#[test]
fn another_users_conversation_in_the_same_tenant_is_no_history() {
    let model = Scripted::saying(&["Three euros [1]."]);
    let bench = Bench::new(model.clone());
    bench
        .ask(Question::opening("ADAS-QUESTION about a late return"))
        .unwrap();
    let bo = bench.world.user("bo@example.org", Some(&"acme".parse().unwrap()));
    let scope = bench.scope();
    let asker = Asker::user(&bo);
    let first = bench
        .chat
        .answer(&scope, &asker, Question::opening(QUESTION))
        .unwrap();
    let id = first.conversation.unwrap().id;
    bench
        .chat
        .answer(&scope, &asker, Question::following(id, QUESTION))
        .unwrap();
    let of_bo = format!("{:?}", &model.prompts()[1..]);
    assert!(!of_bo.contains("ADAS-QUESTION"));
}

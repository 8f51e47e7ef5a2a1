//! What a tenant's settings make of a question.

use tenantry_domain::{ChatSettings, ClientInstructions};
use tenantry_llm_client::Sampling;
use tenantry_retrieval::{Asker, ChatError, Question, Retrieval};
use tenantry_tenant_store::TenantChange;

use super::bench::{Bench, QUESTION, Scripted};

fn prompted(bench: &Bench, model: &Scripted, prompt: &str) -> String {
    bench.change(
        "acme",
        &TenantChange {
            system_prompt: Some(Some(prompt.into())),
            ..TenantChange::default()
        },
    );
    bench.ask(Question::alone(QUESTION)).unwrap();
    model.prompts().pop().unwrap().system.unwrap()
}

#[test]
fn a_prompt_knows_its_tenant_the_day_and_who_asks() {
    let model = Scripted::saying(&["Three euros [1]."]);
    let bench = Bench::new(model.clone());
    let said = prompted(
        &bench,
        &model,
        "{tenant_name}, {date}, {user_email}. {{date}} {other} {} {date { date}",
    );
    assert_eq!(
        said,
        "Tenant acme, 2023-11-14, ada@example.org. {2023-11-14} {other} {} {date { date}"
    );
}

#[test]
fn what_a_variable_stands_for_is_never_a_variable() {
    let model = Scripted::saying(&["Three euros [1]."]);
    let bench = Bench::new(model.clone());
    bench.change(
        "acme",
        &TenantChange {
            name: Some("{date}{user_email}{".into()),
            ..TenantChange::default()
        },
    );
    let said = prompted(&bench, &model, "{tenant_name}date} {{tenant_name}}");
    assert_eq!(said, "{date}{user_email}{date} {{date}{user_email}{}");
}

#[test]
fn for_the_operator_there_is_no_address() {
    let model = Scripted::saying(&["Three euros [1]."]);
    let bench = Bench::new(model.clone());
    prompted(&bench, &model, "For {user_email}.");
    let scope = bench.scope();
    bench
        .chat
        .answer(&scope, &Asker::operator(), Question::alone(QUESTION))
        .unwrap();
    assert_eq!(model.prompts().pop().unwrap().system.as_deref(), Some("For ."));
}

#[test]
fn a_request_goes_before_the_settings_but_is_never_longer() {
    let model = Scripted::saying(&["Three euros [1]."]);
    let bench = Bench::new(model.clone());
    bench.set("acme", |chat| {
        chat.temperature = Some(0.5);
        chat.max_answer_tokens = Some(100);
        chat.language = Some("German".into());
    });
    let asked = |sampling: Sampling| {
        bench
            .ask(Question {
                sampling,
                ..Question::alone(QUESTION)
            })
            .unwrap();
        model.prompts().pop().unwrap()
    };
    let prompt = asked(Sampling::default());
    assert_eq!(prompt.sampling.temperature, Some(0.5));
    assert_eq!(prompt.sampling.max_answer_tokens, Some(100));
    assert_eq!(prompt.language.as_deref(), Some("German"));
    let prompt = asked(Sampling {
        temperature: Some(1.5),
        max_answer_tokens: Some(50),
        seed: Some(7),
        ..Sampling::default()
    });
    assert_eq!(prompt.sampling.temperature, Some(1.5));
    assert_eq!(prompt.sampling.max_answer_tokens, Some(50));
    assert_eq!(prompt.sampling.seed, Some(7));
    let prompt = asked(Sampling {
        max_answer_tokens: Some(5_000),
        ..Sampling::default()
    });
    assert_eq!(prompt.sampling.max_answer_tokens, Some(100));
}

#[test]
fn a_clients_instruction_is_passed_on_or_refused() {
    let model = Scripted::saying(&["Three euros [1]."]);
    let bench = Bench::new(model.clone());
    let question = || Question {
        client_instruction: Some("Answer in rhymes.".into()),
        ..Question::alone(QUESTION)
    };
    bench.ask(question()).unwrap();
    let prompt = model.prompts().pop().unwrap();
    assert_eq!(prompt.client_instruction.as_deref(), Some("Answer in rhymes."));
    assert_eq!(prompt.system.as_deref(), Some("You speak for acme."));
    bench.set("acme", |chat| {
        chat.client_instructions = ClientInstructions::Refuse;
    });
    assert!(matches!(
        bench.ask(question()),
        Err(ChatError::InstructionsRefused)
    ));
    assert!(bench.ask(Question::alone(QUESTION)).is_ok());
}

/// How many passages an answer rests on, of so many at most and of no lower score.
fn sources(bench: &Bench, limit: Option<u16>, min_score: Option<f32>) -> usize {
    let question = Question {
        retrieval: Retrieval::On {
            limit,
            min_score,
            fusion: None,
            filter: None,
        },
        ..Question::alone(QUESTION)
    };
    bench.ask(question).unwrap().sources.len()
}

#[test]
fn an_answer_rests_on_six_passages_as_many_as_the_tenant_says_or_the_request() {
    let bench = Bench::new(Scripted::saying(&["Three euros [1]."]));
    for n in 0..24 {
        bench.world.ingest(
            "acme",
            &format!("Fees {n}"),
            &format!("A late return costs {n} euros."),
        );
    }
    let found = |limit| sources(&bench, limit, None);
    assert_eq!(found(None), 6);
    bench.set("acme", |chat| chat.passages = Some(3));
    assert_eq!(found(None), 3);
    assert_eq!(found(Some(9)), 9);
    assert_eq!(found(Some(20)), usize::from(ChatSettings::MAX_PASSAGES));
}

#[test]
fn a_request_may_ask_for_better_passages_alone() {
    let bench = Bench::new(Scripted::saying(&["Three euros [1]."]));
    bench.world.ingest("acme", "Aside", "A return is welcome.");
    let found = |min_score| sources(&bench, None, min_score);
    assert_eq!((found(None), found(Some(0.95))), (2, 1));
}

#[test]
fn a_change_holds_for_the_next_question() {
    let model = Scripted::saying(&["Three euros [1]."]);
    let bench = Bench::new(model.clone());
    let first = prompted(&bench, &model, "One.");
    let second = prompted(&bench, &model, "Two.");
    assert_eq!((first.as_str(), second.as_str()), ("One.", "Two."));
}

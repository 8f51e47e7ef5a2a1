//! Answers rest on the tenant's own passages, under the tenant's own prompt.

use std::sync::Arc;

use tenantry_domain::TenantScope;
use tenantry_llm_client::{Completer, ExtractiveCompleter, MemoryCompleter};
use tenantry_retrieval::{Answer, Asker, Question, SearchTuning};

use crate::library::{Library, Volume};

fn ask(library: &Library, model: Arc<dyn Completer>, scope: &TenantScope, question: &str) -> Answer {
    let chat = library.chat(model);
    chat.answer(scope, &Asker::operator(), Question::alone(question))
        .unwrap()
}

fn scribe() -> Arc<MemoryCompleter> {
    Arc::new(MemoryCompleter::saying("It costs three euros [1]."))
}

fn two_tenants() -> Library {
    let library = Library::of_words();
    for (tenant, fee) in [("acme", "three euros"), ("other", "ten francs")] {
        let scope = library.tenant(tenant);
        library.shelve(
            &scope,
            &Volume::of("Fees", &[&format!("A late return costs {fee} a day.")]),
        );
    }
    library
}

#[test]
fn a_prompt_has_the_tenants_instruction_and_passages_and_nobody_elses() {
    let library = two_tenants();
    let scribe = scribe();
    let acme = library.scope("acme");
    let answer = ask(&library, scribe.clone(), &acme, "What does a late return cost?");
    assert_eq!(answer.text, "It costs three euros [1].");
    assert_eq!(
        (answer.sources[0].number, answer.sources[0].hit.title.as_str()),
        (1, "Fees")
    );
    let prompts = scribe.prompts();
    assert_eq!(prompts[0].system.as_deref(), Some("You speak for acme."));
    assert_eq!(prompts[0].passages.len(), 1);
    assert!(!format!("{prompts:?}").contains("francs"));
}

#[test]
fn the_same_question_has_two_different_cited_answers() {
    let library = two_tenants();
    for (tenant, fee) in [("acme", "three euros"), ("other", "ten francs")] {
        let scope = library.scope(tenant);
        let quotes = Arc::new(ExtractiveCompleter);
        let answer = ask(&library, quotes, &scope, "What does a late return cost?");
        let text = &answer.text;
        assert!(text.contains(fee) && text.contains("[1]"), "{text}");
    }
}

#[test]
fn an_answer_rests_on_no_more_than_six_passages_as_the_tenant_is_set() {
    let library = Library::of_words();
    let tuning = SearchTuning {
        min_score: Some(0.9),
        ..SearchTuning::default()
    };
    for (tenant, tuning, passages) in [("usual", None, 6), ("strict", Some(tuning), 2)] {
        let scope = library.tuned(tenant, tuning);
        for n in 0..8 {
            library.shelve(
                &scope,
                &Volume::of(&format!("Fees {n}"), &["A late return costs three euros."]),
            );
        }
        let answer = ask(&library, scribe(), &scope, "late return");
        let numbers: Vec<u16> = answer.sources.iter().map(|source| source.number).collect();
        assert_eq!(numbers, (1..=passages).collect::<Vec<_>>());
    }
}

#[test]
fn long_passages_do_not_crowd_a_prompt_and_the_best_is_always_there() {
    let library = Library::of_words();
    let acme = library.tenant("acme");
    let text = |words: usize| format!("late return {}", "word ".repeat(words));
    for (title, words) in [("Book", 2_800), ("Tome", 1_000), ("Note", 100), ("Slip", 10)] {
        library.shelve(&acme, &Volume::of(title, &[&text(words)]));
    }
    let given = |question: &str| -> Vec<String> {
        let answer = ask(&library, scribe(), &acme, question);
        answer
            .sources
            .into_iter()
            .map(|source| source.hit.title)
            .collect()
    };
    // Of what is about as good, the shorter comes first; the longest goes beyond what is left.
    assert_eq!(given("late return"), ["Slip", "Note", "Tome"]);
    assert_eq!(given("book")[0], "Book");
}

//! The second phase: what the answer rests on is found, and what a model is asked is put together.

use std::sync::Arc;

use tenantry_domain::{Cancellation, ChatSettings, FollowUps, Hit, TenantScope, UsageKind, WithoutSupport};
use tenantry_llm_client::{self as llm, Completer, Grounding, LlmError, Passage, Prompt, Task};

use super::history::{self, Bound};
use super::turn::{Request, Speech};
use super::{Chat, ChatError, Source, Turn, follow_up, support};
use crate::SearchRequest;
use crate::template::{Variables, render};

/// How many characters the passages may have in all, about 3,000 tokens: merged neighbours and other tools' records can be
/// long, and a small model's context is not.
const CHARACTERS: usize = 12_000;

impl Chat {
    /// Finds what the answer rests on; then [`Turn::sources`] has it. A follow-up question is rewritten first into one that
    /// stands alone, where the tenant wants that and a model can; where the model fails, it is searched for as it is.
    ///
    /// # Errors
    /// [`ChatError::Search`] when the passages cannot be searched, [`ChatError::SealedKey`] or [`ChatError::Complete`] when the
    /// tenant's models cannot be opened, [`LlmError::Cancelled`] in the latter when `cancellation` was raised; else when the store
    /// fails. The turn keeps that it failed.
    pub fn retrieve(
        &self,
        scope: &TenantScope,
        turn: &mut Turn,
        cancellation: &Cancellation,
    ) -> Result<(), ChatError> {
        match self.prepare(scope, turn, cancellation) {
            Ok(speech) => {
                turn.speech = Some(speech);
                Ok(())
            }
            failed => turn.remember(failed.map(drop)),
        }
    }

    fn prepare(
        &self,
        scope: &TenantScope,
        turn: &mut Turn,
        cancellation: &Cancellation,
    ) -> Result<Speech, ChatError> {
        turn.belongs_to(scope)?;
        follow_up::stopped(cancellation)?;
        let settings = &scope.tenant().chat;
        let history = self.history(scope, turn)?;
        let mut model = None;
        if let Some(mut request) = turn.search.clone() {
            if settings.follow_ups == FollowUps::Rewrite && !history.is_empty() {
                let opened = model.insert(self.open(scope, turn)?);
                rewrite(turn, opened.as_ref(), &history, &mut request, cancellation);
                follow_up::stopped(cancellation)?;
            }
            self.search(scope, turn, &request)?;
            follow_up::stopped(cancellation)?;
            if turn.sources.is_empty() && settings.without_support == WithoutSupport::Decline {
                turn.finish = llm::FinishReason::Stop;
                return Ok(Speech::Fixed(declined(settings)));
            }
        }
        let model = match model {
            Some(model) => model,
            None => self.open(scope, turn)?,
        };
        Ok(Speech::Asked(Box::new(self.request(scope, turn, model, history))))
    }

    /// What was said before, as far as it is sent.
    fn history(&self, scope: &TenantScope, turn: &mut Turn) -> Result<Vec<llm::PastMessage>, ChatError> {
        let bound = Bound::of(scope.tenant().chat.history_tokens);
        let said = std::mem::take(&mut turn.history);
        let messages = match (&turn.kept, turn.asker.id(), bound.messages()) {
            (Some(kept), Some(owner), Some(limit)) => {
                let conversation = kept.conversation.id;
                let messages = self
                    .parts
                    .messages
                    .last_messages(scope, owner, conversation, limit)?;
                history::before(kept.question, messages)
            }
            (Some(_), ..) => Vec::new(),
            (None, ..) => said,
        };
        Ok(bound.newest(messages))
    }

    fn open(&self, scope: &TenantScope, turn: &Turn) -> Result<Arc<dyn Completer>, ChatError> {
        let names = self.parts.models.chosen(scope, turn.asked.as_deref())?;
        self.parts.models.open(scope, &names)
    }

    fn search(&self, scope: &TenantScope, turn: &mut Turn, request: &SearchRequest) -> Result<(), ChatError> {
        let mut spent = None;
        let found = self.parts.searcher.find(scope, request, &mut spent);
        if let Some(spent) = spent {
            turn.spend(UsageKind::Embedding, spent.model, spent.usage);
        }
        let hits = within(CHARACTERS, found?.hits);
        turn.sources = (1..)
            .zip(hits)
            .map(|(number, hit)| Source { number, hit })
            .collect();
        Ok(())
    }

    /// What `model` is asked.
    fn request(
        &self,
        scope: &TenantScope,
        turn: &mut Turn,
        model: Arc<dyn Completer>,
        history: Vec<llm::PastMessage>,
    ) -> Request {
        let tenant = scope.tenant();
        let settings = &tenant.chat;
        let variables = Variables {
            tenant,
            email: turn.asker.email(),
            now: self.parts.clock.now(),
        };
        let system = tenant.system_prompt.as_deref();
        let system = system.map(|prompt| render(prompt, variables));
        let grounding = grounding(settings, turn);
        let sentence = support::sentences(settings.language.as_deref()).nothing_cited;
        Request {
            model,
            prompt: Prompt {
                task: Task::Answer,
                system,
                client_instruction: turn.instruction.take(),
                language: settings.language.clone(),
                grounding,
                passages: turn.sources.iter().map(passage).collect(),
                history,
                question: turn.question.clone(),
                sampling: turn.sampling.clone(),
                budget: llm::Budget::default(),
            },
            allowed: settings.allowed_hosts.clone(),
            if_uncited: (grounding == Grounding::Passages).then_some(sentence),
        }
    }
}

/// What the answer may rest on.
fn grounding(settings: &ChatSettings, turn: &Turn) -> Grounding {
    match (&turn.search, settings.without_support) {
        (None, _) => Grounding::Off,
        (Some(_), WithoutSupport::Decline) => Grounding::Passages,
        (Some(_), WithoutSupport::Answer) => Grounding::PassagesFirst,
    }
}

impl Turn {
    /// Whether the scope is that of the tenant that the turn was begun for.
    pub(super) fn belongs_to(&self, scope: &TenantScope) -> Result<(), ChatError> {
        if *scope.id() == self.tenant {
            Ok(())
        } else {
            Err(LlmError::Refused("the turn was begun for another tenant".into()).into())
        }
    }
}

/// Has the question rewritten for the search, where `model` can.
fn rewrite(
    turn: &mut Turn,
    model: &dyn Completer,
    history: &[llm::PastMessage],
    request: &mut SearchRequest,
    cancellation: &Cancellation,
) {
    if !model.can_rewrite() {
        return;
    }
    let rewritten = follow_up::rewrite(model, history, &turn.question, cancellation);
    if let Some(usage) = rewritten.usage {
        turn.spend(UsageKind::Rewriting, rewritten.model, usage);
    }
    if let Some(query) = rewritten.query {
        request.query = query;
    }
}

/// What is said where nothing was found and nothing may be made up.
fn declined(settings: &ChatSettings) -> String {
    let own = settings.unsupported_text.as_deref();
    let default = support::sentences(settings.language.as_deref()).nothing_found;
    own.filter(|text| !text.trim().is_empty())
        .unwrap_or(default)
        .to_owned()
}

fn passage(source: &Source) -> Passage {
    Passage {
        number: usize::from(source.number),
        title: source.hit.title.clone(),
        text: source.hit.chunk.text.clone(),
    }
}

/// The best of `hits` that have `characters` in all; the first in any case.
fn within(characters: usize, hits: Vec<Hit>) -> Vec<Hit> {
    let mut left = characters;
    let mut chosen: Vec<Hit> = Vec::new();
    for hit in hits {
        let length = hit.chunk.text.chars().count();
        if length <= left || chosen.is_empty() {
            left = left.saturating_sub(length);
            chosen.push(hit);
        }
    }
    chosen
}

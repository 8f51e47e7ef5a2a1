//! Two tenants with documents and users, and models that do as a test says.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use tenantry_domain::{Cancellation, ChatSettings, Message, Page, TenantScope, Timestamp, UsageRecord, User};
use tenantry_llm_client::{Completer, Completion, FinishReason, LlmError, Prompt, Task, Usage};
use tenantry_retrieval::{Answer, Asker, Chat, ChatError, ChatModels, ChatParts, Question, Searcher, Turn};
use tenantry_tenant_store::{MessageStore, TenantChange, TenantStore, UsageFilter, UsageGroup, UsageStore};

use crate::support::World;

/// What the documents of `acme` and `globex` say of a late return.
pub(super) const ACME: &str = "A late return costs three euros a day.";
pub(super) const GLOBEX: &str = "A late return costs ten francs a day.";
pub(super) const QUESTION: &str = "What does a late return cost?";

/// What a model does with a prompt.
type Script = dyn Fn(&Prompt) -> Said + Send + Sync;

/// Pieces, and how they end.
pub(super) struct Said {
    pub(super) pieces: Vec<String>,
    pub(super) end: Result<(FinishReason, Option<Usage>), LlmError>,
}

/// A whole answer in these pieces, as a provider counts it that took 40 tokens to read and 4 to write.
pub(super) fn says(pieces: &[&str]) -> Said {
    Said {
        pieces: pieces.iter().map(|&piece| piece.to_owned()).collect(),
        end: Ok((
            FinishReason::Stop,
            Some(Usage {
                prompt_tokens: 40,
                completion_tokens: 4,
            }),
        )),
    }
}

/// Pieces that end with a failure.
pub(super) fn breaks_off(pieces: &[&str], error: LlmError) -> Said {
    Said {
        end: Err(error),
        ..says(pieces)
    }
}

/// A model that does as a script says and keeps its prompts.
pub(super) struct Scripted {
    name: &'static str,
    rewrites: bool,
    calls_itself: Option<String>,
    script: Box<Script>,
    prompts: Mutex<Vec<Prompt>>,
}

impl Scripted {
    pub(super) fn new(script: impl Fn(&Prompt) -> Said + Send + Sync + 'static) -> Arc<Self> {
        Self::named("scripted", script)
    }

    pub(super) fn named(
        name: &'static str,
        script: impl Fn(&Prompt) -> Said + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            name,
            rewrites: true,
            calls_itself: None,
            script: Box::new(script),
            prompts: Mutex::default(),
        })
    }

    /// A model that always says this.
    pub(super) fn saying(pieces: &'static [&'static str]) -> Arc<Self> {
        Self::new(|_| says(pieces))
    }

    /// One that cannot rewrite.
    pub(super) fn without_rewriting(pieces: &'static [&'static str]) -> Arc<Self> {
        Arc::new(Self {
            name: "scripted",
            rewrites: false,
            calls_itself: None,
            script: Box::new(|_| says(pieces)),
            prompts: Mutex::default(),
        })
    }

    /// One that names itself so in its answers.
    pub(super) fn calling_itself(name: &str) -> Arc<Self> {
        Arc::new(Self {
            name: "scripted",
            rewrites: true,
            calls_itself: Some(name.to_owned()),
            script: Box::new(|_| says(&["Three euros [1]."])),
            prompts: Mutex::default(),
        })
    }

    pub(super) fn prompts(&self) -> Vec<Prompt> {
        self.prompts.lock().unwrap().clone()
    }

    /// The prompts that asked for an answer.
    pub(super) fn answering(&self) -> Vec<Prompt> {
        let prompts = self.prompts().into_iter();
        prompts.filter(|prompt| prompt.task == Task::Answer).collect()
    }
}

impl Completer for Scripted {
    fn model(&self) -> &str {
        self.name
    }

    fn can_rewrite(&self) -> bool {
        self.rewrites
    }

    fn complete(&self, prompt: &Prompt) -> Result<Completion, LlmError> {
        self.stream(prompt, &Cancellation::new(), &mut |_| ControlFlow::Continue(()))
    }

    fn stream(
        &self,
        prompt: &Prompt,
        cancellation: &Cancellation,
        on_delta: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Completion, LlmError> {
        self.prompts.lock().unwrap().push(prompt.clone());
        let said = (self.script)(prompt);
        for piece in &said.pieces {
            if cancellation.is_cancelled() || on_delta(piece).is_break() {
                return Err(LlmError::Cancelled);
            }
        }
        let (finish, usage) = said.end?;
        Ok(Completion {
            text: said.pieces.concat(),
            model: match &self.calls_itself {
                Some(name) => name.clone(),
                None => format!("{}-2026", self.name),
            },
            asked: self.name.to_owned(),
            finish,
            usage,
        })
    }
}

pub(super) struct Bench {
    pub(super) world: World,
    pub(super) chat: Chat,
    pub(super) ada: User,
    pub(super) grace: User,
}

impl Bench {
    pub(super) fn new(model: Arc<dyn Completer>) -> Self {
        Self::in_world(World::new(), ChatModels::fixed(model))
    }

    pub(super) fn with_models(models: ChatModels) -> Self {
        Self::in_world(World::new(), models)
    }

    pub(super) fn in_world(world: World, models: ChatModels) -> Self {
        let [acme, globex] = ["acme", "globex"].map(|id| world.tenant(id));
        world.ingest("acme", "Fees", ACME);
        world.ingest("globex", "Fees", GLOBEX);
        let chat = Chat::new(ChatParts {
            searcher: Arc::new(Searcher::new(
                world.store.clone(),
                world.collections.clone(),
                world.embedders.clone(),
                None,
            )),
            models: Arc::new(models),
            messages: world.store.clone(),
            usage: world.store.clone(),
            clock: world.clock.clone(),
        });
        Self {
            ada: world.user("ada@example.org", Some(&acme)),
            grace: world.user("grace@example.org", Some(&globex)),
            chat,
            world,
        }
    }

    pub(super) fn scope(&self) -> TenantScope {
        self.world.scope("acme")
    }

    pub(super) fn asker(&self) -> Asker {
        Asker::user(&self.ada)
    }

    /// Changes a tenant's chat settings.
    pub(super) fn set(&self, tenant: &str, change: impl FnOnce(&mut ChatSettings)) {
        let mut chat = self.world.scope(tenant).tenant().chat.clone();
        change(&mut chat);
        self.change(
            tenant,
            &TenantChange {
                chat: Some(chat),
                ..TenantChange::default()
            },
        );
    }

    pub(super) fn change(&self, tenant: &str, change: &TenantChange) {
        let id = tenant.parse().unwrap();
        let store = self.world.store.inner();
        store
            .update_tenant(&id, change, self.world.now())
            .unwrap()
            .unwrap();
    }

    /// Ada asks.
    pub(super) fn ask(&self, question: Question) -> Result<Answer, ChatError> {
        self.chat.answer(&self.scope(), &self.asker(), question)
    }

    /// Ada's turn, begun.
    pub(super) fn begin(&self, question: Question) -> Turn {
        self.chat.begin(&self.scope(), &self.asker(), question).unwrap()
    }

    /// Ada's turn, with its passages found.
    pub(super) fn retrieved(&self, question: Question) -> Turn {
        let mut turn = self.begin(question);
        self.chat
            .retrieve(&self.scope(), &mut turn, &Cancellation::new())
            .unwrap();
        turn
    }

    pub(super) fn settle(&self, turn: Turn) -> Answer {
        self.chat.settle(&self.scope(), turn).unwrap()
    }

    /// Every message of Ada's conversation.
    pub(super) fn messages(&self, answer: &Answer) -> Vec<Message> {
        let id = answer.conversation.as_ref().unwrap().id;
        self.messages_of(id)
    }

    pub(super) fn messages_of(&self, id: tenantry_domain::ConversationId) -> Vec<Message> {
        let store = self.world.store.inner();
        let page = store
            .messages(&self.scope(), self.ada.id, id, Page::new(100, 0).unwrap())
            .unwrap();
        page.unwrap().items
    }

    /// What was counted for a tenant, as kind and tokens.
    pub(super) fn counted(&self, tenant: &str) -> Vec<(String, u64, u64)> {
        let filter = UsageFilter {
            from: Timestamp::from_unix_micros(0).unwrap(),
            until: Timestamp::from_unix_micros(4_000_000_000_000_000).unwrap(),
            user: None,
        };
        let store = self.world.store.inner();
        let sums = store
            .usage(&self.world.scope(tenant), &filter, UsageGroup::Kind)
            .unwrap();
        sums.into_iter()
            .map(|sum| (sum.key, sum.totals.prompt_tokens, sum.totals.completion_tokens))
            .collect()
    }
}

/// Lets a turn speak, and gives what was handed out.
pub(super) fn spoken(turn: &mut Turn) -> (Vec<String>, Result<(), ChatError>) {
    spoken_until(turn, usize::MAX)
}

/// The same, to a reader that leaves at the given piece, from 1.
pub(super) fn spoken_until(turn: &mut Turn, pieces: usize) -> (Vec<String>, Result<(), ChatError>) {
    let mut heard = Vec::new();
    let outcome = turn.speak(&Cancellation::new(), &mut |delta| {
        heard.push(delta.to_owned());
        if heard.len() < pieces {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    (heard, outcome)
}

pub(super) fn kinds(spent: &[UsageRecord]) -> Vec<(&'static str, u64, u64, bool)> {
    spent
        .iter()
        .map(|record| {
            let usage = record.usage;
            (
                record.kind.as_str(),
                usage.prompt_tokens,
                usage.completion_tokens,
                usage.estimated,
            )
        })
        .collect()
}

pub(super) fn down() -> LlmError {
    LlmError::Unavailable("scripted".into())
}

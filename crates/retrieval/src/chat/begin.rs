//! The first phase: what is asked is checked, and kept.

use tenantry_domain::{
    ChatSettings, ClientInstructions, Conversation, ConversationId, Message, MessageId, MessageRole,
    MessageStatus, TenantScope, Timestamp, TokenUsage, TopK,
};
use tenantry_llm_client::{self as llm, FinishReason, Sampling};
use tenantry_tenant_store::MessageTarget;

use super::turn::Kept;
use super::voice::Voice;
use super::{Asker, Chat, ChatError, Question, Retrieval, Thread, Turn, title};
use crate::search::check_query;
use crate::text::prose;
use crate::{InvalidField, SearchRequest};

/// How many passages an answer may rest on where the tenant does not say.
const PASSAGES: u16 = 6;
/// The longest instruction of a client in characters.
const MAX_INSTRUCTION: usize = 16_000;

impl Chat {
    /// Checks a question, and keeps it unless it is in a [`Thread::Stateless`].
    ///
    /// # Errors
    /// [`ChatError::Invalid`] or [`ChatError::Search`] when it cannot be asked, [`ChatError::UnknownModel`],
    /// [`ChatError::InstructionsRefused`], [`ChatError::UnknownConversation`], also for the operator, who has none; else when the
    /// store fails. Then nothing is kept.
    pub fn begin(&self, scope: &TenantScope, asker: &Asker, question: Question) -> Result<Turn, ChatError> {
        let settings = &scope.tenant().chat;
        check_query("message", &question.message)?;
        check_instruction(settings, question.client_instruction.as_deref())?;
        let search = search(settings, &question)?;
        let models = self.parts.models.chosen(scope, question.model.as_deref())?;
        let (kept, history) = self.keep(scope, asker, &question.message, question.thread)?;
        Ok(Turn {
            tenant: scope.id().clone(),
            asker: asker.clone(),
            kept,
            question: question.message,
            history,
            instruction: question.client_instruction,
            search,
            asked: question.model,
            model: models.into_iter().next().unwrap_or_default(),
            sampling: sampling(settings, question.sampling),
            sources: Vec::new(),
            speech: None,
            voice: Voice::new(),
            status: None,
            written: false,
            finish: FinishReason::Other,
            usage: TokenUsage::default(),
            spent: Vec::new(),
            clock: self.parts.clock.clone(),
        })
    }

    /// Keeps the question where its thread says, and gives what a client says was said before.
    fn keep(
        &self,
        scope: &TenantScope,
        asker: &Asker,
        message: &str,
        thread: Thread,
    ) -> Result<(Option<Kept>, Vec<llm::PastMessage>), ChatError> {
        let now = self.parts.clock.now();
        let existing = match thread {
            Thread::Stateless { history } => return Ok((None, history)),
            Thread::New => None,
            Thread::Existing(id) => Some(id),
        };
        let owner = asker.id().ok_or(ChatError::UnknownConversation)?;
        let target = match existing {
            Some(id) => MessageTarget::Existing(id),
            None => MessageTarget::New(Conversation {
                id: ConversationId::generate(now),
                owner,
                title: title::of(message),
                created_at: now,
                updated_at: now,
            }),
        };
        let question = user_message(message, now);
        let conversation = self
            .parts
            .messages
            .begin_turn(scope, owner, &target, &question)?
            .ok_or(ChatError::UnknownConversation)?;
        let kept = Kept {
            conversation,
            question: question.id,
            answer: MessageId::generate(now),
        };
        Ok((Some(kept), Vec::new()))
    }
}

fn user_message(text: &str, now: Timestamp) -> Message {
    Message {
        id: MessageId::generate(now),
        role: MessageRole::User,
        text: text.to_owned(),
        status: MessageStatus::Complete,
        citations: Vec::new(),
        model: None,
        usage: None,
        created_at: now,
    }
}

fn check_instruction(settings: &ChatSettings, instruction: Option<&str>) -> Result<(), ChatError> {
    let Some(instruction) = instruction else {
        return Ok(());
    };
    match settings.client_instructions {
        ClientInstructions::Refuse => Err(ChatError::InstructionsRefused),
        ClientInstructions::Demote => Ok(prose(
            "instruction",
            instruction,
            MAX_INSTRUCTION,
            "has more than 16000 characters",
        )?),
    }
}

/// What is searched for, as far as it is known now.
fn search(settings: &ChatSettings, question: &Question) -> Result<Option<SearchRequest>, ChatError> {
    let Retrieval::On {
        limit,
        min_score,
        fusion,
        filter,
    } = &question.retrieval
    else {
        return Ok(None);
    };
    let most = ChatSettings::MAX_PASSAGES;
    if limit.is_some_and(|limit| !(1..=most).contains(&limit)) {
        return Err(InvalidField::new("limit", "is not between 1 and 20").into());
    }
    let limit = limit.or(settings.passages).unwrap_or(PASSAGES);
    let mut request = SearchRequest::new(
        question.message.as_str(),
        TopK::clamp(usize::from(limit.min(most))),
    );
    request.min_score = *min_score;
    request.fusion = *fusion;
    request.filter.clone_from(filter);
    request.check()?;
    Ok(Some(request))
}

/// How words are chosen: as the client asks, else as the tenant is set; never more of them than the tenant allows.
fn sampling(settings: &ChatSettings, asked: Sampling) -> Sampling {
    let longest = match (asked.max_answer_tokens, settings.max_answer_tokens) {
        (Some(asked), Some(allowed)) => Some(asked.min(allowed)),
        (asked, allowed) => asked.or(allowed),
    };
    Sampling {
        temperature: asked.temperature.or(settings.temperature),
        max_answer_tokens: longest,
        ..asked
    }
}

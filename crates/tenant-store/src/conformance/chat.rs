//! Conversations and messages, for the obligations that need some.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{
    Citation, Conversation, ConversationId, DocumentId, Message, MessageId, MessageRole, MessageStatus,
    Origin, Page, Span, TenantScope, Timestamp, TokenUsage, UsageKind, UsageRecord, UsageTotals, UserId,
};

use super::samples::at;
use crate::{
    ConversationStore, MessageStore, MessageTarget, TenantStore, UsageFilter, UsageGroup, UsageStore,
};

/// Every trait of a store that keeps conversations, on the same records.
pub trait ChatStore: TenantStore + ConversationStore + MessageStore + UsageStore {}

impl<S: TenantStore + ConversationStore + MessageStore + UsageStore> ChatStore for S {}

pub(crate) fn user_id() -> UserId {
    UserId::generate(at(0))
}

/// An owner's conversation that began and was last changed at that second.
pub(crate) fn conversation(owner: UserId, seconds: i64) -> Conversation {
    Conversation {
        id: ConversationId::generate(at(seconds)),
        owner,
        title: "Do owls \"sleep\"? Añ€😀 'yes'".into(),
        created_at: at(seconds),
        updated_at: at(seconds),
    }
}

/// What a user says at that second.
pub(crate) fn question(text: &str, seconds: i64) -> Message {
    Message {
        id: MessageId::generate(at(seconds)),
        role: MessageRole::User,
        text: text.into(),
        status: MessageStatus::Complete,
        citations: Vec::new(),
        model: None,
        usage: None,
        created_at: at(seconds),
    }
}

/// A model's answer at that second, with every value set.
pub(crate) fn answer(text: &str, seconds: i64) -> Message {
    Message {
        role: MessageRole::Assistant,
        citations: vec![citation(1, Origin::Document(DocumentId::generate(at(0))))],
        model: Some("owl-1".into()),
        usage: Some(tokens(12, 3)),
        ..question(text, seconds)
    }
}

pub(super) fn citation(number: u16, origin: Origin) -> Citation {
    Citation {
        number,
        origin,
        title: "Owls, \"annotated\"".into(),
        span: Span {
            start: 0,
            end: u32::MAX,
        },
        page: Some(7),
        excerpt: "Owls sleep by day.\n\u{1F989} {\"a\": [1]}".into(),
    }
}

pub(crate) fn tokens(prompt_tokens: u64, completion_tokens: u64) -> TokenUsage {
    TokenUsage {
        prompt_tokens,
        completion_tokens,
        estimated: false,
    }
}

/// A call that answered a user.
pub(crate) fn call(user: UserId, kind: UsageKind, usage: TokenUsage) -> UsageRecord {
    UsageRecord {
        user: Some(user),
        kind,
        model: "owl-1".into(),
        usage,
        at: at(5),
    }
}

/// Adds a conversation that begins with a question.
pub(crate) fn begun<S: ChatStore>(
    store: &S,
    scope: &TenantScope,
    owner: UserId,
    seconds: i64,
) -> Conversation {
    let conversation = conversation(owner, seconds);
    let target = MessageTarget::New(conversation.clone());
    let first = question("Do owls sleep?", seconds);
    let stored = store.begin_turn(scope, owner, &target, &first).unwrap();
    assert_eq!(stored.as_ref(), Some(&conversation));
    conversation
}

/// Every message of a conversation that is there.
pub(crate) fn messages<S: ChatStore>(
    store: &S,
    scope: &TenantScope,
    conversation: &Conversation,
) -> Vec<Message> {
    let page = Page::new(Page::MAX_LIMIT, 0).unwrap();
    let read = store.messages(scope, conversation.owner, conversation.id, page);
    let read = read.unwrap().unwrap();
    assert_eq!(read.total, u64::try_from(read.items.len()).unwrap());
    read.items
}

/// What was counted for the tenant in all, on the days of the samples.
pub(super) fn counted<S: ChatStore>(store: &S, scope: &TenantScope) -> UsageTotals {
    let filter = UsageFilter {
        from: at(0),
        until: at(2 * 86_400),
        user: None,
    };
    let mut totals = UsageTotals::default();
    for sum in store.usage(scope, &filter, UsageGroup::Kind).unwrap() {
        totals.merge(sum.totals);
    }
    totals
}

/// The tokens of [`counted`].
pub(super) fn counted_tokens<S: ChatStore>(store: &S, scope: &TenantScope) -> u64 {
    let totals = counted(store, scope);
    totals.prompt_tokens + totals.completion_tokens
}

/// When the owner's conversation was last changed.
pub(super) fn updated_at<S: ChatStore>(
    store: &S,
    scope: &TenantScope,
    conversation: &Conversation,
) -> Timestamp {
    let read = store.conversation(scope, conversation.owner, conversation.id);
    read.unwrap().unwrap().updated_at
}

//! What the tables of conversations hold against a hand, and against themselves.

use std::sync::Arc;

use tenantry_domain::{Actor, Conversation, TenantScope};

use super::*;
use crate::conformance::{chat, samples};
use crate::{MessageStore, MessageTarget};

/// A conversation of one message.
fn begun(store: &SqlStore) -> (TenantScope, Conversation) {
    let acme = samples::tenant("acme");
    store.create_tenant(&acme, &Actor::system()).unwrap();
    let acme = Arc::new(acme).activate(Actor::system()).unwrap();
    let conversation = chat::begun(store, &acme, chat::user_id(), 0);
    (acme, conversation)
}

#[test]
fn what_a_hand_must_not_write_of_a_message_is_refused() {
    let (store, _folder) = migrated();
    let (acme, conversation) = begun(&store);
    for statement in [
        "UPDATE messages SET role = 'system'",
        "UPDATE messages SET status = 'half'",
        "UPDATE messages SET prompt_tokens = 1",
        "UPDATE messages SET prompt_tokens = 1, completion_tokens = 1",
        "UPDATE messages SET prompt_tokens = 1, completion_tokens = 1, usage_estimated = 'yes'",
        "UPDATE messages SET conversation_id = 'x'",
        "UPDATE conversations SET tenant_id = 'nowhere'",
        "INSERT INTO messages SELECT tenant_id, conversation_id, 1, id, role, status, model, prompt_tokens, \
            completion_tokens, usage_estimated, created_at, text, citations FROM messages",
        "INSERT INTO messages SELECT tenant_id, conversation_id, ordinal, 'x', role, status, model, prompt_tokens, \
            completion_tokens, usage_estimated, created_at, text, citations FROM messages",
    ] {
        let done = store.run(|conn| conn.batch_execute(statement));
        assert!(done.is_err(), "{statement}");
    }
    assert_eq!(chat::messages(&store, &acme, &conversation).len(), 1);
}

#[test]
fn a_message_that_cannot_be_read_is_a_failure_that_names_the_table() {
    for broken in [
        "id = 'x'",
        "citations = '[{}]'",
        "prompt_tokens = -1, completion_tokens = 0, usage_estimated = 0",
    ] {
        let (store, _folder) = migrated();
        let (acme, conversation) = begun(&store);
        sql(&store, &format!("UPDATE messages SET {broken}"));
        let read = store.last_messages(&acme, conversation.owner, conversation.id, 9);
        let Err(StoreError::Failed(cause)) = read else {
            panic!("{broken}: {read:?}")
        };
        assert_eq!(cause.to_string(), "a row of messages cannot be read", "{broken}");
    }
}

#[test]
fn a_message_that_a_hand_removed_leaves_its_place_empty() {
    let (store, _folder) = migrated();
    let (acme, conversation) = begun(&store);
    let target = MessageTarget::Existing(conversation.id);
    let say = |text| {
        let message = chat::question(text, 1);
        let begun = store.begin_turn(&acme, conversation.owner, &target, &message);
        assert!(begun.unwrap().is_some());
        message
    };
    say("And larks?");
    sql(&store, "DELETE FROM messages");
    let rooks = say("And rooks?");
    assert_eq!(chat::messages(&store, &acme, &conversation), [rooks]);
}

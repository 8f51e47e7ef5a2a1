//! How every [`MessageStore`] takes what is said, beside a [`UsageStore`] of the same records;
//! [`messages`](super::messages) says how it gives it back.
//!
//! [`MessageStore`]: crate::MessageStore
//! [`UsageStore`]: crate::UsageStore
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use std::collections::BTreeSet;

use tenantry_domain::{
    Conversation, ConversationId, Message, MessageId, MessageRole, Page, TenantScope, UsageKind, UsageRecord,
    UsageTotals, UserId,
};

use super::chat::{
    ChatStore, answer, begun, call, conversation, counted, counted_tokens, messages, question, tokens,
    updated_at, user_id,
};
use super::samples::{at, foreign_scope, scope};
use crate::{MessageTarget, StoreError};

/// A conversation begins with its first message, as it is given.
pub fn a_turn_begins_a_conversation<S: ChatStore>(store: &S) {
    let (acme, ada) = (scope(store, "acme"), user_id());
    let new = Conversation {
        updated_at: at(4),
        ..conversation(ada, 3)
    };
    let first = question("Do owls sleep?", 5);
    let target = MessageTarget::New(new.clone());
    let given = store.begin_turn(&acme, ada, &target, &first).unwrap();
    assert_eq!(given.as_ref(), Some(&new));
    assert_eq!(store.conversation(&acme, ada, new.id).unwrap(), given);
    assert_eq!(messages(store, &acme, &new), [first]);
}

/// A message updates the conversation that it is added to, and no other, at its own moment; its title and its beginning stay.
pub fn a_turn_updates_its_conversation<S: ChatStore>(store: &S) {
    let (acme, ada) = (scope(store, "acme"), user_id());
    let [mut wanted, other] = [0, 1].map(|seconds| begun(store, &acme, ada, seconds));
    let target = MessageTarget::Existing(wanted.id);
    let given = store.begin_turn(&acme, ada, &target, &question("And larks?", 7));
    wanted.updated_at = at(7);
    assert_eq!(given.unwrap(), Some(wanted.clone()));
    assert_eq!(
        store.conversation(&acme, ada, wanted.id).unwrap(),
        Some(wanted.clone())
    );
    let finished = store.finish_turn(&acme, ada, wanted.id, &answer("They do.", 8), &[]);
    assert!(finished.unwrap());
    wanted.updated_at = at(8);
    assert_eq!(store.conversation(&acme, ada, wanted.id).unwrap(), Some(wanted));
    assert_eq!(store.conversation(&acme, ada, other.id).unwrap(), Some(other));
}

/// A turn in a conversation that is not there is none, and its message is not kept.
pub fn a_turn_in_an_absent_conversation_is_none<S: ChatStore>(store: &S) {
    let (acme, ada) = (scope(store, "acme"), user_id());
    let absent = MessageTarget::Existing(ConversationId::generate(at(0)));
    let message = question("Do owls sleep?", 0);
    assert_eq!(store.begin_turn(&acme, ada, &absent, &message).unwrap(), None);
    let new = MessageTarget::New(conversation(ada, 0));
    let given = store.begin_turn(&acme, ada, &new, &message).unwrap();
    assert!(given.is_some(), "the id is free");
}

/// Nobody begins a conversation that is another user's.
pub fn a_conversation_begins_as_its_owners_alone<S: ChatStore>(store: &S) {
    let acme = scope(store, "acme");
    let [ada, bob] = [user_id(), user_id()];
    let of_bob = conversation(bob, 0);
    let target = MessageTarget::New(of_bob.clone());
    let begun = store.begin_turn(&acme, ada, &target, &question("Do owls sleep?", 0));
    assert!(matches!(begun, Err(StoreError::Failed(_))), "{begun:?}");
    for user in [ada, bob] {
        assert_eq!(store.conversation(&acme, user, of_bob.id).unwrap(), None);
    }
}

/// A turn of a tenant that this store does not know is refused where it would leave something behind.
pub fn a_turn_of_an_unknown_tenant_is_refused<S: ChatStore>(store: &S) {
    let (nowhere, ada) = (foreign_scope("nowhere"), user_id());
    let new = conversation(ada, 0);
    let target = MessageTarget::New(new.clone());
    let begun = store.begin_turn(&nowhere, ada, &target, &question("Do owls sleep?", 0));
    assert!(matches!(begun, Err(StoreError::UnknownTenant)), "{begun:?}");
    assert_eq!(store.conversation(&nowhere, ada, new.id).unwrap(), None);
    let finish = |usage: &[UsageRecord]| store.finish_turn(&nowhere, ada, new.id, &answer("Yes.", 1), usage);
    assert!(!finish(&[]).unwrap());
    let usage = [call(ada, UsageKind::Answering, tokens(1, 1))];
    let finished = finish(&usage);
    assert!(matches!(finished, Err(StoreError::UnknownTenant)), "{finished:?}");
}

/// An id of a conversation or message that the tenant has cannot be given again, and nothing of the turn is kept then.
pub fn an_id_that_is_taken_leaves_nothing_behind<S: ChatStore>(store: &S) {
    let acme = scope(store, "acme");
    let [ada, bob] = [user_id(), user_id()];
    let there = begun(store, &acme, ada, 0);
    let first = messages(store, &acme, &there);
    let taken = Message {
        created_at: at(9),
        ..first.first().unwrap().clone()
    };

    let same_id = MessageTarget::New(Conversation {
        owner: bob,
        ..there.clone()
    });
    let fresh = question("mine", 9);
    let refused = store.begin_turn(&acme, bob, &same_id, &fresh);
    assert!(matches!(refused, Err(StoreError::IdTaken)), "{refused:?}");

    let new = conversation(bob, 9);
    let refused = store.begin_turn(&acme, bob, &MessageTarget::New(new.clone()), &taken);
    assert!(matches!(refused, Err(StoreError::IdTaken)), "{refused:?}");
    assert_eq!(store.conversation(&acme, bob, new.id).unwrap(), None);

    let existing = MessageTarget::Existing(there.id);
    let refused = store.begin_turn(&acme, ada, &existing, &taken);
    assert!(matches!(refused, Err(StoreError::IdTaken)), "{refused:?}");
    let usage = [call(ada, UsageKind::Answering, tokens(1, 1))];
    let refused = store.finish_turn(&acme, ada, there.id, &taken, &usage);
    assert!(matches!(refused, Err(StoreError::IdTaken)), "{refused:?}");
    assert_eq!(counted(store, &acme), UsageTotals::default());
    assert_eq!(updated_at(store, &acme, &there), at(0));
    assert_eq!(messages(store, &acme, &there), first);

    store.begin_turn(&acme, ada, &existing, &fresh).unwrap().unwrap();
    let after = messages(store, &acme, &there);
    assert_eq!(after.last(), Some(&fresh), "the id is free");
}

/// What an answer took is counted with it, each call, for its own tenant.
pub fn an_answer_is_added_and_counted<S: ChatStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "globex"));
    let ada = user_id();
    let conversation = begun(store, &acme, ada, 0);
    let answer = answer("By day [1].", 5);
    let usage = [
        call(ada, UsageKind::Embedding, tokens(4, 0)),
        call(ada, UsageKind::Answering, tokens(20, 5)),
        call(ada, UsageKind::Answering, tokens(300, 70)),
    ];
    let finished = store.finish_turn(&acme, ada, conversation.id, &answer, &usage);
    assert!(finished.unwrap());
    assert_eq!(messages(store, &acme, &conversation).last(), Some(&answer));
    let wanted = UsageTotals {
        calls: 3,
        estimated_calls: 0,
        prompt_tokens: 324,
        completion_tokens: 75,
    };
    assert_eq!(counted(store, &acme), wanted);
    assert_eq!(counted(store, &globex), UsageTotals::default());
}

/// An answer whose conversation was removed meanwhile is not added, and what it took is counted all the same.
pub fn an_answer_to_a_removed_conversation_is_counted<S: ChatStore>(store: &S) {
    let (acme, ada) = (scope(store, "acme"), user_id());
    let conversation = begun(store, &acme, ada, 0);
    assert!(store.remove_conversation(&acme, ada, conversation.id).unwrap());
    let usage = [call(ada, UsageKind::Answering, tokens(20, 5))];
    let finished = store.finish_turn(&acme, ada, conversation.id, &answer("By day.", 5), &usage);
    assert!(!finished.unwrap());
    assert_eq!(counted_tokens(store, &acme), 25);
    assert_eq!(store.conversation(&acme, ada, conversation.id).unwrap(), None);
}

/// An answer whose usage cannot be counted is not added: both are one step.
pub fn usage_with_nul_is_refused_and_nothing_stored<S: ChatStore>(store: &S) {
    let (acme, ada) = (scope(store, "acme"), user_id());
    let conversation = begun(store, &acme, ada, 0);
    let good = call(ada, UsageKind::Answering, tokens(20, 5));
    let bad = UsageRecord {
        model: "a\0b".into(),
        ..good.clone()
    };
    let finished = store.finish_turn(&acme, ada, conversation.id, &answer("x", 5), &[good, bad]);
    assert!(matches!(finished, Err(StoreError::Failed(_))), "{finished:?}");
    assert_eq!(messages(store, &acme, &conversation).len(), 1);
    assert_eq!(counted(store, &acme), UsageTotals::default());
}

const TALKERS: u64 = 4;
const TURNS: u64 = 5;

/// Turns that run at once in one conversation lose no message: each has its own place, after those that were added before it.
pub fn turns_at_once_keep_every_message_in_one_order<S: ChatStore>(store: &S) {
    let (acme, ada) = (scope(store, "acme"), user_id());
    let conversation = conversation(ada, 0);
    store.create_conversation(&acme, &conversation).unwrap();
    let said: Vec<Vec<MessageId>> = std::thread::scope(|threads| {
        let talkers: Vec<_> = (0..TALKERS)
            .map(|_| threads.spawn(|| talk(store, &acme, ada, conversation.id)))
            .collect();
        talkers.into_iter().map(|talker| talker.join().unwrap()).collect()
    });
    let kept = messages(store, &acme, &conversation);
    let places: Vec<_> = kept.iter().map(|message| message.id).collect();
    assert_eq!(places.len(), usize::try_from(2 * TALKERS * TURNS).unwrap());
    assert_eq!(places.iter().collect::<BTreeSet<_>>().len(), places.len());
    for of_talker in said {
        let in_order: Vec<_> = places
            .iter()
            .filter(|id| of_talker.contains(id))
            .copied()
            .collect();
        assert_eq!(in_order, of_talker);
    }
    let asked = kept.iter().filter(|message| message.role == MessageRole::User);
    assert_eq!(asked.count(), usize::try_from(TALKERS * TURNS).unwrap());
    assert_eq!(counted_tokens(store, &acme), TALKERS * TURNS * 33);
    let last = store
        .last_messages(&acme, ada, conversation.id, u16::MAX)
        .unwrap();
    assert_eq!(last, kept);
}

/// Asks and is answered; gives the ids of what was said, in order.
fn talk<S: ChatStore>(store: &S, scope: &TenantScope, user: UserId, id: ConversationId) -> Vec<MessageId> {
    let mut said = Vec::new();
    let usage = [
        call(user, UsageKind::Answering, tokens(20, 10)),
        call(user, UsageKind::Embedding, tokens(3, 0)),
    ];
    for _ in 0..TURNS {
        let (asked, answered) = (question("Why?", 1), answer("So.", 2));
        let target = MessageTarget::Existing(id);
        store.begin_turn(scope, user, &target, &asked).unwrap().unwrap();
        assert!(store.finish_turn(scope, user, id, &answered, &usage).unwrap());
        said.extend([asked.id, answered.id]);
    }
    said
}

/// Users who are answered at once in conversations of their own are all counted.
pub fn users_answered_at_once_are_all_counted<S: ChatStore>(store: &S) {
    let acme = scope(store, "acme");
    std::thread::scope(|threads| {
        for seconds in 0..3 {
            let acme = &acme;
            threads.spawn(move || {
                let ada = user_id();
                let conversation = begun(store, acme, ada, seconds);
                // Calls that nobody waits for are everybody's: their sums are the ones that transactions meet at.
                let mut usage = [UsageKind::Answering, UsageKind::Embedding].map(|kind| UsageRecord {
                    user: None,
                    ..call(ada, kind, tokens(2, 1))
                });
                for turn in 0..TURNS {
                    usage.reverse();
                    let answer = answer("So.", i64::try_from(turn).unwrap());
                    let finished = store.finish_turn(acme, ada, conversation.id, &answer, &usage);
                    assert!(finished.unwrap());
                }
            });
        }
    });
    assert_eq!(counted_tokens(store, &acme), 3 * TURNS * 6);
}

/// A conversation that is removed while turns run in it is gone with all its messages, and the turns find it so.
pub fn a_conversation_removed_during_turns_is_gone<S: ChatStore>(store: &S) {
    let (acme, ada) = (scope(store, "acme"), user_id());
    let conversation = begun(store, &acme, ada, 0);
    std::thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| {
                let target = MessageTarget::Existing(conversation.id);
                let goes_on = |_: &u32| {
                    let begun = store.begin_turn(&acme, ada, &target, &question("Why?", 1));
                    let finished = store.finish_turn(&acme, ada, conversation.id, &answer("So.", 2), &[]);
                    // Whoever finds no conversation finds none from then on.
                    begun.unwrap().is_some() | finished.unwrap()
                };
                (0..1_000).take_while(goes_on).count()
            });
        }
        threads.spawn(|| {
            let is_short = |_: &u32| {
                let page = store.messages(&acme, ada, conversation.id, Page::default());
                page.unwrap().unwrap().total < 10
            };
            (0..10_000).take_while(is_short).count();
            assert!(store.remove_conversation(&acme, ada, conversation.id).unwrap());
        });
    });
    assert_eq!(store.conversation(&acme, ada, conversation.id).unwrap(), None);
    store.create_conversation(&acme, &conversation).unwrap();
    assert_eq!(messages(store, &acme, &conversation), []);
}

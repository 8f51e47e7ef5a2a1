//! What every [`ConversationStore`] must do, beside a [`MessageStore`] of the same records.
//!
//! [`ConversationStore`]: crate::ConversationStore
//! [`MessageStore`]: crate::MessageStore
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{Conversation, ConversationId, Page};

use super::chat::{ChatStore, begun, conversation, messages, question, user_id};
use super::samples::{at, foreign_scope, scope};
use crate::{MessageTarget, StoreError};

/// A conversation is read back as it was written, and begins without messages.
pub fn a_conversation_is_read_back_as_it_was_written<S: ChatStore>(store: &S) {
    let (acme, ada) = (scope(store, "acme"), user_id());
    let written = Conversation {
        updated_at: at(70),
        ..conversation(ada, 3)
    };
    store.create_conversation(&acme, &written).unwrap();
    assert_eq!(
        store.conversation(&acme, ada, written.id).unwrap(),
        Some(written.clone())
    );
    let listed = store.conversations(&acme, ada, Page::default()).unwrap();
    assert_eq!(
        (listed.items.as_slice(), listed.total),
        (&[written.clone()][..], 1)
    );
    assert_eq!(messages(store, &acme, &written), []);
}

/// An id that a conversation of the tenant has cannot be given again, whoever owns it; another tenant may give it.
pub fn a_conversation_id_is_taken_in_its_tenant_alone<S: ChatStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "globex"));
    let [ada, bob] = [user_id(), user_id()];
    let first = conversation(ada, 0);
    store.create_conversation(&acme, &first).unwrap();
    let second = Conversation {
        owner: bob,
        title: "Larks".into(),
        ..first.clone()
    };
    assert!(matches!(
        store.create_conversation(&acme, &second),
        Err(StoreError::IdTaken)
    ));
    assert_eq!(store.conversation(&acme, bob, first.id).unwrap(), None);
    store.create_conversation(&globex, &second).unwrap();
    assert_eq!(store.conversation(&acme, ada, first.id).unwrap(), Some(first));
    assert_eq!(store.conversation(&globex, bob, second.id).unwrap(), Some(second));
}

/// A conversation of a tenant that this store does not know is refused.
pub fn a_conversation_of_an_unknown_tenant_is_refused<S: ChatStore>(store: &S) {
    let (nowhere, ada) = (foreign_scope("nowhere"), user_id());
    let refused = conversation(ada, 0);
    assert!(matches!(
        store.create_conversation(&nowhere, &refused),
        Err(StoreError::UnknownTenant)
    ));
    assert_eq!(store.conversation(&nowhere, ada, refused.id).unwrap(), None);
}

/// An absent conversation is none: it can be neither read, nor renamed, nor removed.
pub fn an_absent_conversation_is_none<S: ChatStore>(store: &S) {
    let (acme, ada) = (scope(store, "acme"), user_id());
    begun(store, &acme, ada, 0);
    let absent = ConversationId::generate(at(0));
    assert_eq!(store.conversation(&acme, ada, absent).unwrap(), None);
    let renamed = store.rename_conversation(&acme, ada, absent, "Owls", at(1));
    assert_eq!(renamed.unwrap(), None);
    assert!(!store.remove_conversation(&acme, ada, absent).unwrap());
    assert_eq!(store.messages(&acme, ada, absent, Page::default()).unwrap(), None);
}

/// Another user of the same tenant can neither read, nor list, nor rename, nor remove a conversation.
pub fn a_conversation_of_another_user_does_not_exist<S: ChatStore>(store: &S) {
    let acme = scope(store, "acme");
    let [ada, bob] = [user_id(), user_id()];
    let of_ada = begun(store, &acme, ada, 0);
    let of_bob = begun(store, &acme, bob, 1);
    assert_eq!(store.conversation(&acme, bob, of_ada.id).unwrap(), None);
    let renamed = store.rename_conversation(&acme, bob, of_ada.id, "mine", at(9));
    assert_eq!(renamed.unwrap(), None);
    assert!(!store.remove_conversation(&acme, bob, of_ada.id).unwrap());
    for (owner, own) in [(ada, &of_ada), (bob, &of_bob)] {
        let listed = store.conversations(&acme, owner, Page::default()).unwrap();
        assert_eq!((listed.items, listed.total), (vec![own.clone()], 1));
    }
    assert_eq!(messages(store, &acme, &of_ada).len(), 1);
}

/// The owner's conversation stays in its tenant: in another tenant the same user can neither read, nor list, nor rename, nor remove it.
pub fn a_conversation_of_another_tenant_does_not_exist<S: ChatStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "globex"));
    let ada = user_id();
    let of_acme = begun(store, &acme, ada, 0);
    let of_globex = begun(store, &globex, ada, 1);
    assert_eq!(store.conversation(&globex, ada, of_acme.id).unwrap(), None);
    let renamed = store.rename_conversation(&globex, ada, of_acme.id, "mine", at(9));
    assert_eq!(renamed.unwrap(), None);
    assert!(!store.remove_conversation(&globex, ada, of_acme.id).unwrap());
    for (tenant, own) in [(&acme, &of_acme), (&globex, &of_globex)] {
        let listed = store.conversations(tenant, ada, Page::default()).unwrap();
        assert_eq!((listed.items, listed.total), (vec![own.clone()], 1));
        assert_eq!(messages(store, tenant, own).len(), 1);
    }
}

/// The list has the latest change first, of one moment the highest id, is cut into pages and knows its whole length.
pub fn conversations_are_listed_by_their_last_change_in_pages_with_the_total<S: ChatStore>(store: &S) {
    let (acme, ada) = (scope(store, "acme"), user_id());
    let mut wanted: Vec<_> = [4, 1, 3, 3, 3, 2]
        .into_iter()
        .map(|seconds| begun(store, &acme, ada, seconds))
        .collect();
    begun(store, &acme, user_id(), 9);
    wanted.sort_by_key(|conversation| std::cmp::Reverse((conversation.updated_at, conversation.id)));
    let mut listed = Vec::new();
    let mut page = Page::new(4, 0).unwrap();
    for length in [4, 2, 0] {
        let paged = store.conversations(&acme, ada, page).unwrap();
        assert_eq!((paged.items.len(), paged.total), (length, 6));
        listed.extend(paged.items);
        page = page.next().unwrap();
    }
    assert_eq!(listed, wanted);

    let last = wanted.pop().unwrap();
    let target = MessageTarget::Existing(last.id);
    store
        .begin_turn(&acme, ada, &target, &question("And larks?", 5))
        .unwrap()
        .unwrap();
    let first = store.conversations(&acme, ada, Page::new(1, 0).unwrap()).unwrap();
    assert_eq!(first.items.first().map(|first| first.id), Some(last.id));
}

/// Renaming changes the title and the moment of the last change, and gives the conversation as it is then.
pub fn renaming_changes_the_title_and_the_moment<S: ChatStore>(store: &S) {
    let (acme, ada) = (scope(store, "acme"), user_id());
    let [mut renamed, other] = [0, 1].map(|seconds| begun(store, &acme, ada, seconds));
    renamed.title = "Owls \u{1F989}".into();
    renamed.updated_at = at(60);
    let given = store.rename_conversation(&acme, ada, renamed.id, &renamed.title, at(60));
    assert_eq!(given.unwrap(), Some(renamed.clone()));
    for wanted in [renamed, other] {
        assert_eq!(messages(store, &acme, &wanted).len(), 1);
        assert_eq!(store.conversation(&acme, ada, wanted.id).unwrap(), Some(wanted));
    }
}

/// Removing a conversation removes its messages and no others, so that their ids are free again; removing it again finds none.
pub fn removing_a_conversation_removes_its_messages<S: ChatStore>(store: &S) {
    let (acme, ada) = (scope(store, "acme"), user_id());
    let [removed, kept] = [0, 1].map(|seconds| begun(store, &acme, ada, seconds));
    let gone = messages(store, &acme, &removed);
    assert!(store.remove_conversation(&acme, ada, removed.id).unwrap());
    assert!(!store.remove_conversation(&acme, ada, removed.id).unwrap());
    assert_eq!(store.conversation(&acme, ada, removed.id).unwrap(), None);
    let read = store.messages(&acme, ada, removed.id, Page::default());
    assert_eq!(read.unwrap(), None);
    assert_eq!(messages(store, &acme, &kept).len(), 1);

    store.create_conversation(&acme, &removed).unwrap();
    assert_eq!(messages(store, &acme, &removed), []);
    let target = MessageTarget::Existing(removed.id);
    for message in &gone {
        store.begin_turn(&acme, ada, &target, message).unwrap().unwrap();
    }
    assert_eq!(messages(store, &acme, &removed), gone);
}

/// A title with U+0000 is refused as [`StoreError::Failed`] and nothing is stored.
pub fn text_with_nul_is_refused_and_nothing_stored<S: ChatStore>(store: &S) {
    let (acme, ada) = (scope(store, "acme"), user_id());
    let bad = Conversation {
        title: "a\0b".into(),
        ..conversation(ada, 0)
    };
    assert!(matches!(
        store.create_conversation(&acme, &bad),
        Err(StoreError::Failed(_))
    ));
    assert_eq!(store.conversation(&acme, ada, bad.id).unwrap(), None);
    let good = begun(store, &acme, ada, 1);
    assert!(matches!(
        store.rename_conversation(&acme, ada, good.id, &bad.title, at(9)),
        Err(StoreError::Failed(_))
    ));
    assert_eq!(store.conversation(&acme, ada, good.id).unwrap(), Some(good));
}

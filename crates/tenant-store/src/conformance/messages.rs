//! How every [`MessageStore`] gives back what it keeps; [`turns`](super::turns) says how it takes it.
//!
//! [`MessageStore`]: crate::MessageStore
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use tenantry_domain::{
    Citation, ConversationId, DocumentId, JobId, Message, MessageStatus, Origin, Page, TokenUsage,
};

use super::chat::{ChatStore, answer, begun, citation, messages, question, tokens, user_id};
use super::samples::{at, scope};
use super::work::{RecordStore, claim, settle, submission};
use crate::{MessageTarget, Settlement, StoreError};

/// A message is read back as it was written, with nothing or everything set, in every status.
pub fn a_message_is_read_back_as_it_was_written<S: ChatStore>(store: &S) {
    let (acme, ada) = (scope(store, "acme"), user_id());
    let conversation = begun(store, &acme, ada, 0);
    let mut written = messages(store, &acme, &conversation);
    let long = "añ€😀\r\n[1] 'quoted' \"twice\" \\ \u{1}".repeat(2_000);
    let citations = vec![
        citation(1, Origin::Document(DocumentId::generate(at(0)))),
        Citation {
            page: None,
            title: String::new(),
            ..citation(u16::MAX, Origin::Record("r/\"1\" \u{1F989}".into()))
        },
    ];
    let most = i64::MAX.unsigned_abs();
    let answers = [
        Message {
            citations,
            usage: Some(TokenUsage {
                estimated: true,
                ..tokens(0, most)
            }),
            ..answer(&long, 1)
        },
        Message {
            status: MessageStatus::Cancelled,
            ..answer("", 2)
        },
        Message {
            status: MessageStatus::Failed,
            citations: Vec::new(),
            model: None,
            usage: None,
            ..answer("half an ans", 3)
        },
    ];
    for answer in answers {
        let is_added = store.finish_turn(&acme, ada, conversation.id, &answer, &[]);
        assert!(is_added.unwrap());
        written.push(answer);
    }
    assert_eq!(messages(store, &acme, &conversation), written);
    let last = store.last_messages(&acme, ada, conversation.id, 9);
    assert_eq!(last.unwrap(), written);
}

/// Messages keep the order in which they were added, whatever their ids and moments; the list is cut into pages and knows its whole
/// length.
pub fn messages_are_listed_in_their_order_in_pages_with_the_total<S: ChatStore>(store: &S) {
    let (acme, ada) = (scope(store, "acme"), user_id());
    let conversation = begun(store, &acme, ada, 50);
    begun(store, &acme, ada, 60);
    let mut wanted = messages(store, &acme, &conversation);
    let target = MessageTarget::Existing(conversation.id);
    for seconds in [9, 3, 3, 40, 1] {
        let message = question("And larks?", seconds);
        store.begin_turn(&acme, ada, &target, &message).unwrap().unwrap();
        wanted.push(message);
    }
    let mut listed = Vec::new();
    let mut page = Page::new(4, 0).unwrap();
    for length in [4, 2, 0] {
        let paged = store
            .messages(&acme, ada, conversation.id, page)
            .unwrap()
            .unwrap();
        assert_eq!((paged.items.len(), paged.total), (length, 6));
        listed.extend(paged.items);
        page = page.next().unwrap();
    }
    assert_eq!(listed, wanted);
}

/// The last messages are at most as many as asked for, and come in their order.
pub fn the_last_messages_come_in_their_order<S: ChatStore>(store: &S) {
    let (acme, ada) = (scope(store, "acme"), user_id());
    let conversation = begun(store, &acme, ada, 0);
    let target = MessageTarget::Existing(conversation.id);
    for seconds in 1..5 {
        let message = question("And larks?", seconds);
        store.begin_turn(&acme, ada, &target, &message).unwrap().unwrap();
    }
    let all = messages(store, &acme, &conversation);
    for (limit, skipped) in [(0, 5), (1, 4), (2, 3), (5, 0), (u16::MAX, 0)] {
        let last = store.last_messages(&acme, ada, conversation.id, limit).unwrap();
        assert_eq!(last, all.get(skipped..).unwrap_or_default(), "{limit}");
    }
    let absent = ConversationId::generate(at(0));
    assert_eq!(store.last_messages(&acme, ada, absent, 9).unwrap(), []);
}

/// Another user of the same tenant can neither read messages nor add any, and nothing of a try is left.
pub fn messages_of_another_user_do_not_exist<S: ChatStore>(store: &S) {
    let acme = scope(store, "acme");
    let [ada, bob] = [user_id(), user_id()];
    let of_ada = begun(store, &acme, ada, 0);
    let read = store.messages(&acme, bob, of_ada.id, Page::default());
    assert_eq!(read.unwrap(), None);
    assert_eq!(store.last_messages(&acme, bob, of_ada.id, 9).unwrap(), []);
    let before = messages(store, &acme, &of_ada);
    let target = MessageTarget::Existing(of_ada.id);
    let begun = store.begin_turn(&acme, bob, &target, &question("mine", 9));
    assert_eq!(begun.unwrap(), None);
    let finished = store.finish_turn(&acme, bob, of_ada.id, &answer("mine", 9), &[]);
    assert!(!finished.unwrap());
    assert_eq!(messages(store, &acme, &of_ada), before);
    assert_eq!(store.conversation(&acme, ada, of_ada.id).unwrap(), Some(of_ada));
}

/// In another tenant the owner can neither read messages nor add any; the same ids may stand in both.
pub fn messages_of_another_tenant_do_not_exist<S: ChatStore>(store: &S) {
    let (acme, globex) = (scope(store, "acme"), scope(store, "globex"));
    let ada = user_id();
    let of_acme = begun(store, &acme, ada, 0);
    let read = store.messages(&globex, ada, of_acme.id, Page::default());
    assert_eq!(read.unwrap(), None);
    assert_eq!(store.last_messages(&globex, ada, of_acme.id, 9).unwrap(), []);
    let target = MessageTarget::Existing(of_acme.id);
    let begun = store.begin_turn(&globex, ada, &target, &question("mine", 9));
    assert_eq!(begun.unwrap(), None);
    let finished = store.finish_turn(&globex, ada, of_acme.id, &answer("mine", 9), &[]);
    assert!(!finished.unwrap());

    let first = messages(store, &acme, &of_acme);
    let same = Message {
        text: "Do larks sleep?".into(),
        ..first.first().unwrap().clone()
    };
    let target = MessageTarget::New(of_acme.clone());
    store.begin_turn(&globex, ada, &target, &same).unwrap().unwrap();
    assert_eq!(messages(store, &globex, &of_acme), [same]);
    assert!(store.remove_conversation(&globex, ada, of_acme.id).unwrap());
    assert_eq!(messages(store, &acme, &of_acme), first);
}

/// Citations stay as they were written when their document is removed.
pub fn citations_outlive_their_document<S: ChatStore + RecordStore>(store: &S) {
    let (acme, ada) = (scope(store, "acme"), user_id());
    let owls = submission("Owls", 0);
    let document = store.submit(&acme, &owls).unwrap().document.id;
    let conversation = begun(store, &acme, ada, 1);
    let cited = Message {
        citations: vec![citation(1, Origin::Document(document))],
        ..answer("By day [1].", 2)
    };
    let added = store.finish_turn(&acme, ada, conversation.id, &cited, &[]);
    assert!(added.unwrap());
    store
        .remove_document(&acme, document, JobId::generate(at(3)), at(3))
        .unwrap()
        .unwrap();
    let removal = claim(store, 4).unwrap();
    assert!(settle(store, &acme, &removal.lease, &Settlement::Done, 5));
    assert_eq!(store.document(&acme, document).unwrap(), None);
    let last = store.last_messages(&acme, ada, conversation.id, 1);
    assert_eq!(last.unwrap(), [cited]);
}

/// A message with U+0000 in any text is refused as [`StoreError::Failed`] and nothing is stored.
pub fn text_with_nul_is_refused_and_nothing_stored<S: ChatStore>(store: &S) {
    let (acme, ada) = (scope(store, "acme"), user_id());
    let conversation = begun(store, &acme, ada, 0);
    let before = messages(store, &acme, &conversation);
    let nul = || "a\0b".to_owned();
    let record = || citation(1, Origin::Record("r-1".into()));
    let cites = |citation: Citation| Message {
        citations: vec![record(), citation],
        ..answer("x", 1)
    };
    let bad = [
        answer("a\0b", 1),
        Message {
            model: Some(nul()),
            ..answer("x", 1)
        },
        cites(citation(2, Origin::Record(nul()))),
        cites(Citation {
            title: nul(),
            ..record()
        }),
        cites(Citation {
            excerpt: nul(),
            ..record()
        }),
    ];
    let target = MessageTarget::Existing(conversation.id);
    for message in &bad {
        let begun = store.begin_turn(&acme, ada, &target, message);
        assert!(matches!(begun, Err(StoreError::Failed(_))), "{message:?}");
        let finished = store.finish_turn(&acme, ada, conversation.id, message, &[]);
        assert!(matches!(finished, Err(StoreError::Failed(_))), "{message:?}");
    }
    assert_eq!(messages(store, &acme, &conversation), before);
    let kept = store.conversation(&acme, ada, conversation.id).unwrap();
    assert_eq!(kept, Some(conversation));
}

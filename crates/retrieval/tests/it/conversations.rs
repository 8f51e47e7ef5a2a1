//! What users do with their own conversations.

use tenantry_domain::{Conversation, Page, UserId};
use tenantry_retrieval::{ConversationError, Conversations};

use crate::support::World;

struct Owners {
    world: World,
    conversations: Conversations,
    ada: UserId,
    bo: UserId,
}

fn owners() -> Owners {
    let world = World::new();
    let acme = world.tenant("acme");
    world.tenant("globex");
    Owners {
        conversations: Conversations::new(world.store.clone(), world.store.clone(), world.clock.clone()),
        ada: world.user("ada@example.org", Some(&acme)).id,
        bo: world.user("bo@example.org", Some(&acme)).id,
        world,
    }
}

impl Owners {
    fn create(&self, title: Option<&str>) -> Conversation {
        let scope = self.world.scope("acme");
        self.conversations.create(&scope, self.ada, title).unwrap()
    }
}

#[test]
fn a_conversation_is_made_listed_read_renamed_and_removed() {
    let owners = owners();
    let (scope, conversations) = (owners.world.scope("acme"), &owners.conversations);
    let untitled = owners.create(None);
    assert_eq!(untitled.title, "Conversation");
    owners.world.later(1);
    let fees = owners.create(Some("  Fees  "));
    assert_eq!(fees.title, "Fees");
    let listed = conversations.list(&scope, owners.ada, Page::default()).unwrap();
    assert_eq!(listed.items, [fees.clone(), untitled.clone()]);

    owners.world.later(1);
    let renamed = conversations
        .rename(&scope, owners.ada, untitled.id, "Other fees")
        .unwrap()
        .unwrap();
    assert_eq!(renamed.title, "Other fees");
    assert!(renamed.updated_at > untitled.updated_at);
    let shown = conversations.show(&scope, owners.ada, untitled.id).unwrap();
    assert_eq!(shown, Some(renamed));
    let messages = conversations.messages(&scope, owners.ada, untitled.id, Page::default());
    assert_eq!(messages.unwrap().unwrap().total, 0);

    assert!(conversations.remove(&scope, owners.ada, fees.id).unwrap());
    assert!(!conversations.remove(&scope, owners.ada, fees.id).unwrap());
    assert_eq!(conversations.show(&scope, owners.ada, fees.id).unwrap(), None);
    let messages = conversations.messages(&scope, owners.ada, fees.id, Page::default());
    assert!(messages.unwrap().is_none());
}

#[test]
fn a_title_is_1_to_200_characters_on_one_line() {
    let owners = owners();
    let (scope, conversation) = (owners.world.scope("acme"), owners.create(None));
    let long = "x".repeat(201);
    for title in ["", "  ", "a\nb", "\u{200b}", long.as_str()] {
        let invalid = |outcome: Result<_, ConversationError>| match outcome {
            Err(ConversationError::Invalid(invalid)) => assert_eq!(invalid.field, "title"),
            other => panic!("{title:?}: {other:?}"),
        };
        invalid(owners.conversations.create(&scope, owners.ada, Some(title)));
        invalid(
            owners
                .conversations
                .rename(&scope, owners.ada, conversation.id, title)
                .map(Option::unwrap),
        );
    }
    owners.create(Some(&"x".repeat(200)));
}

#[test]
fn nobody_else_sees_or_touches_a_conversation() {
    let owners = owners();
    let (conversations, mine) = (&owners.conversations, owners.create(None));
    for (tenant, owner) in [("acme", owners.bo), ("globex", owners.ada)] {
        let scope = owners.world.scope(tenant);
        let page = Page::default();
        assert_eq!(conversations.list(&scope, owner, page).unwrap().total, 0);
        assert_eq!(conversations.show(&scope, owner, mine.id).unwrap(), None);
        let messages = conversations.messages(&scope, owner, mine.id, page);
        assert!(messages.unwrap().is_none());
        assert!(
            conversations
                .rename(&scope, owner, mine.id, "x")
                .unwrap()
                .is_none()
        );
        assert!(!conversations.remove(&scope, owner, mine.id).unwrap());
    }
    let scope = owners.world.scope("acme");
    assert_eq!(
        conversations
            .list(&scope, owners.ada, Page::default())
            .unwrap()
            .total,
        1
    );
}

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tenantry_domain::Page;
use tenantry_tenant_store::{ConversationStore, MessageStore};

use crate::database::{Database, pause};
use crate::isolation::begin_conversation;
use crate::{now, scope};

fn scans(conn: &mut PgConnection, index: &str) -> i64 {
    let scans = format!("(SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = '{index}')");
    diesel::select(sql::<BigInt>(&scans)).get_result(conn).unwrap()
}

#[test]
fn a_conversation_is_found_by_its_id_before_there_are_statistics() {
    let database = Database::create();
    let mut conn = database.connect();
    {
        let store = database.store();
        store.migrate().unwrap();
        let acme = scope(&store, "acme");
        let conversation = begin_conversation(&store, &acme);
        let (owner, id) = (conversation.owner, conversation.id);
        conn.batch_execute(&format!(
            "INSERT INTO conversations (tenant_id, id, owner_id, title, created_at, updated_at) \
             SELECT 'acme', n, '{owner}', 'x', n, n FROM generate_series(1, 10000) AS n"
        ))
        .unwrap();
        assert!(store.conversation(&acme, owner, id).unwrap().is_some());
        assert!(
            store
                .messages(&acme, owner, id, Page::default())
                .unwrap()
                .is_some()
        );
        assert_eq!(store.last_messages(&acme, owner, id, 9).unwrap().len(), 1);
        let renamed = store.rename_conversation(&acme, owner, id, "Owls", now());
        assert!(renamed.unwrap().is_some());
        assert!(store.remove_conversation(&acme, owner, id).unwrap());
    }
    // What a session did is counted when it ends.
    let mut looks = 0..500;
    while scans(&mut conn, "conversations_pkey") == 0 {
        assert!(looks.next().is_some(), "nothing was counted");
        pause();
    }
    assert_eq!(scans(&mut conn, "conversations_by_change"), 0);
}

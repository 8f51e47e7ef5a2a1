use std::sync::Arc;

use diesel::connection::SimpleConnection;
use tenantry_domain::{Actor, DocumentId, DocumentState, DocumentVersion, Page, PromptVersion, TenantId};
use tenantry_tenant_store::{Claim, DocumentStore, JobQueue, PoolOptions, PromptStore, TenantStore};

use crate::database::Database;
use crate::now;

/// The migrations of the first release, with what diesel writes down of them.
const FIRST_RELEASE: [(&str, &str); 4] = [
    (
        "20261123070000",
        include_str!("../../migrations/postgres/2026-11-23-070000_tenants/up.sql"),
    ),
    (
        "20261123070100",
        include_str!("../../migrations/postgres/2026-11-23-070100_users/up.sql"),
    ),
    (
        "20261123070200",
        include_str!("../../migrations/postgres/2026-11-23-070200_documents/up.sql"),
    ),
    (
        "20261123070300",
        include_str!("../../migrations/postgres/2026-11-23-070300_crypto_state/up.sql"),
    ),
];

const OLD_DOCUMENTS: &str = "\
    INSERT INTO tenants (id, name, system_prompt, updated_at) \
        VALUES ('acme', 'Acme', 'Be brief.', '2026-11-23 07:28:01.123456'); \
    BEGIN; \
    SELECT set_config('app.tenant_id', 'acme', true); \
    INSERT INTO documents (tenant_id, id, title, media_type, state, characters, chunks, text) VALUES \
        ('acme', '01900000-0000-7000-8000-000000000000', 'Owls', 'text/markdown', 'ready', 6, 1, '# Owls'), \
        ('acme', '01900000-0000-7000-8000-000000000001', 'Larks', 'text/plain', 'embedding', 5, 1, 'Larks'), \
        ('acme', '01900000-0000-7000-8000-000000000002', 'Rooks', 'text/plain', 'deleting', 5, 1, 'Rooks'); \
    COMMIT";

fn id(n: u8) -> DocumentId {
    format!("01900000-0000-7000-8000-00000000000{n}").parse().unwrap()
}

/// The owner is bound by the policy of its own table, and must still move every tenant's text.
#[test]
fn documents_of_the_first_release_survive_an_upgrade_by_an_owner_who_is_bound() {
    let database = Database::create();
    let user = format!("owner_of_{}", database.name());
    database.give_to(&user, "");
    {
        let mut owner = database.connect_as(&user);
        owner
            .batch_execute(
                "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
                    run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
            )
            .unwrap();
        for (version, up) in FIRST_RELEASE {
            owner.batch_execute(up).unwrap();
            let applied = format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')");
            owner.batch_execute(&applied).unwrap();
        }
        owner.batch_execute(OLD_DOCUMENTS).unwrap();

        let store = database.store_with(Some(&user), PoolOptions::default());
        store.migrate().unwrap();
        let tenant = store.tenant(&TenantId::parse("acme").unwrap()).unwrap().unwrap();
        let versions = store.prompt_versions(&tenant.id, Page::default()).unwrap().items;
        let first = PromptVersion {
            number: 1,
            text: Some("Be brief.".into()),
            author: None,
            created_at: tenant.updated_at,
        };
        assert_eq!(versions, [first]);
        let acme = Arc::new(tenant).activate(Actor::system()).unwrap();
        let states = [0, 1, 2].map(|n| store.document(&acme, id(n)).unwrap().unwrap().state);
        assert_eq!(
            states,
            [
                DocumentState::Ready,
                DocumentState::Indexing,
                DocumentState::Deleting
            ]
        );
        for (n, text) in [(0, "# Owls"), (1, "Larks"), (2, "Rooks")] {
            let of = DocumentVersion {
                document: id(n),
                version: 1,
            };
            let segments = store.segments(&acme, of, 0, 9).unwrap();
            assert_eq!(segments.first().map(|segment| segment.text.as_str()), Some(text));
        }
        let far = tenantry_domain::Timestamp::from_unix_micros(now().unix_micros() * 2).unwrap();
        let claim = Claim {
            tenant: None,
            now: far,
            lease_until: far,
        };
        let claimed: Vec<_> = (0..2)
            .map(|_| store.claim(&claim).unwrap().unwrap().job.document)
            .collect();
        assert!(!claimed.contains(&id(0)), "{claimed:?}");
    }
    database.take_from(&user);
}

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use tenantry_domain::{Filter, Generation, Metadata, MetadataValue, TopK};
use tenantry_vector_client::conformance::{embedding, metadata, scope, version};
use tenantry_vector_client::{PgVectorOptions, PgVectorStore, VectorQuery, VectorStore};

use crate::database::{Database, count, text};
use crate::{circle, put, search, texts};

const GRAPHS: &str = "pg_indexes WHERE indexname LIKE 'tenantry_vector_graph\\_%'";

fn small() -> PgVectorOptions {
    PgVectorOptions {
        exact_up_to: 100,
        ..PgVectorOptions::default()
    }
}

/// A store in which the tenants `a` and `b` have a graph each, of the same embeddings.
fn with_graphs() -> (PgVectorStore, Database) {
    let database = Database::create();
    let store = database.store_with(None, small());
    for id in ["a", "b"] {
        put(&store, &scope(id), 1, &circle(400));
        search(&store, &scope(id), "word7", None);
    }
    store.finish_graphs().unwrap();
    (store, database)
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    #[diesel(column_name = "QUERY PLAN")]
    line: String,
}

/// How the server would run `statement`.
fn plan(conn: &mut PgConnection, statement: &str) -> String {
    let lines = diesel::sql_query(format!("EXPLAIN {statement}"))
        .load::<Line>(conn)
        .unwrap();
    lines.into_iter().map(|line| line.line + "\n").collect()
}

#[test]
fn a_large_index_that_is_searched_gets_a_graph_of_its_own_rows() {
    let (_store, database) = with_graphs();
    let mut conn = database.connect();
    assert_eq!(count(&mut conn, GRAPHS), 2);
    let definition = text(
        &mut conn,
        "SELECT string_agg(indexdef, ' ' ORDER BY indexdef) FROM pg_indexes
        WHERE indexname LIKE 'tenantry_vector_graph\\_%'",
    );
    for tenant in ["'a'", "'b'"] {
        assert!(definition.contains(tenant), "{definition}");
    }
    assert!(
        definition.contains("hnsw") && definition.contains("dimension = 3"),
        "{definition}"
    );
}

#[test]
fn a_large_index_is_searched_through_its_graph_under_row_level_security() {
    let (_store, database) = with_graphs();
    let mut conn = database.connect();
    conn.batch_execute(
        "BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL ROLE tenantry_tenant;
         SELECT set_config('app.tenant_id', 'a', true)",
    )
    .unwrap();
    for filter in [
        "",
        "AND version_id IN (SELECT v.id FROM tenantry_vector_versions AS v
        WHERE v.tenant_id = 'a' AND v.generation = 1 AND coalesce((v.metadata -> 'x') @> '1'::jsonb, false))",
    ] {
        let plan = plan(
            &mut conn,
            &format!(
                "SELECT e.version_id, e.ordinal, 1 - (e.embedding <=> '[1,0,0]') AS score
                 FROM tenantry_vector_embeddings AS e
                 WHERE e.tenant_id = 'a' AND e.generation = 1 AND e.dimension = 3 {filter}
                 ORDER BY e.embedding::vector(3) <=> '[1,0,0]'::vector(3) LIMIT 50"
            ),
        );
        assert!(plan.contains("Index Scan using tenantry_vector_graph_"), "{plan}");
    }
}

#[test]
fn the_stores_searches_scan_the_graph() {
    let (store, database) = with_graphs();
    let mut conn = database.connect();
    let scans = |conn: &mut PgConnection| -> i64 {
        conn.batch_execute("SELECT pg_stat_clear_snapshot()").unwrap();
        diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(
            "(SELECT sum(idx_scan)::bigint FROM pg_stat_user_indexes WHERE indexrelname LIKE 'tenantry_vector_graph\\_%')",
        ))
        .get_result(conn)
        .unwrap()
    };
    let before = scans(&mut conn);
    let matches = search(&store, &scope("a"), "", Some(&embedding(&[1.0, 0.001, 0.5])));
    assert_eq!(matches[0].chunk.text, "word0");
    // The server counts a scan when the session that made it reports: at its end at the latest.
    drop(store);
    let reported = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        scans(&mut conn) > before
    });
    assert!(reported);
}

#[test]
fn a_graph_finds_what_comparing_one_by_one_finds() {
    let (store, database) = with_graphs();
    let exact = database.store();
    for angle in [0.1_f32, 1.3, 2.5, 4.0] {
        let wanted = embedding(&[angle.cos(), angle.sin(), 0.5]);
        let found = search(&store, &scope("a"), "", Some(&wanted));
        assert_eq!(found, search(&exact, &scope("a"), "", Some(&wanted)));
    }
}

#[test]
fn a_filter_that_few_pass_loses_nothing() {
    let database = Database::create();
    let store = database.store_with(None, small());
    let tenant = scope("a");
    let index = tenant.index(Generation::FIRST);
    let tagged = |tag: &str| metadata([("tag", MetadataValue::Text(tag.into()))]);
    let chunks = circle(1_600);
    // 1 in 8 passes, more than are compared one by one, and they stand farthest from what is asked for.
    store
        .upsert(index, version(1, 1), &tagged("near"), &chunks[..700])
        .unwrap();
    store
        .upsert(index, version(2, 1), &tagged("far"), &chunks[700..900])
        .unwrap();
    store
        .upsert(index, version(3, 1), &tagged("near"), &chunks[900..])
        .unwrap();
    search(&store, &tenant, "word7", None);
    store.finish_graphs().unwrap();
    assert_eq!(count(&mut database.connect(), GRAPHS), 1);
    let wanted = embedding(&[1.0, 0.0, 0.5]);
    for (tag, expected) in [("far", 200), ("near", 1_000), ("none", 0)] {
        let filter = Filter::Eq("tag".to_owned(), MetadataValue::Text(tag.to_owned()));
        let query = VectorQuery {
            embedding: Some(&wanted),
            filter: Some(&filter),
            ..VectorQuery::words("", TopK::new(1_000).unwrap())
        };
        let found = store.search(index, query).unwrap();
        assert!(
            found.len() * 100 >= expected * 99,
            "{} of {expected} of {tag}",
            found.len()
        );
    }
}

#[test]
fn a_cleared_index_leaves_no_graph_and_takes_another_dimension() {
    let (store, database) = with_graphs();
    let a = scope("a");
    store.clear(a.index(Generation::FIRST)).unwrap();
    let flat = tenantry_vector_client::conformance::chunk(0, "flat", Some(&[1.0, 0.0]));
    put(&store, &a, 1, &[flat]);
    store.finish_graphs().unwrap();
    let mut conn = database.connect();
    assert_eq!(count(&mut conn, GRAPHS), 1);
    assert_eq!(
        count(&mut conn, "tenantry_vector_graphs WHERE tenant_id = 'b'"),
        1
    );
    assert_eq!(
        texts(&search(&store, &a, "", Some(&embedding(&[1.0, 0.0])))),
        ["flat"]
    );
    assert_eq!(store.count(scope("b").index(Generation::FIRST)).unwrap(), 400);
}

#[test]
fn a_graph_that_was_begun_and_not_finished_is_built_again() {
    let (store, database) = with_graphs();
    drop(store);
    let mut conn = database.connect();
    conn.batch_execute(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid IN (
             SELECT indexrelid FROM pg_stat_user_indexes WHERE indexrelname LIKE 'tenantry_vector_graph\\_%')",
    )
    .unwrap();
    let store = database.store_with(None, small());
    for id in ["a", "b"] {
        assert_eq!(search(&store, &scope(id), "word7", None).len(), 1);
    }
    store.finish_graphs().unwrap();
    let valid = "pg_index JOIN pg_stat_user_indexes USING (indexrelid)
        WHERE indisvalid AND indexrelname LIKE 'tenantry_vector_graph\\_%'";
    assert_eq!(count(&mut conn, valid), 2);
}

#[test]
fn searches_go_on_where_no_graph_can_be_built_and_the_operator_is_told() {
    let database = Database::create();
    let store = database.store_with(None, small());
    let tenant = scope("a");
    put(&store, &tenant, 1, &circle(200));
    let mut conn = database.connect();
    let id = text(&mut conn, "SELECT id::text FROM tenantry_vector_indexes");
    conn.batch_execute(&format!("CREATE TABLE tenantry_vector_graph_{id} ()"))
        .unwrap();
    assert_eq!(texts(&search(&store, &tenant, "word7", None)), ["word7"]);
    let failure = store.finish_graphs().unwrap_err();
    assert!(!failure.is_transient(), "{failure:?}");
    assert!(store.graph_failure().is_none(), "it was told already");
    let wanted = embedding(&[1.0, 0.001, 0.5]);
    assert_eq!(search(&store, &tenant, "", Some(&wanted))[0].chunk.text, "word0");
}

#[test]
fn long_embeddings_have_a_graph_in_half_precision() {
    let database = Database::create();
    let store = database.store_with(
        None,
        PgVectorOptions {
            exact_up_to: 5,
            ..small()
        },
    );
    let tenant = scope("a");
    let values = |n: u16| -> Vec<f32> {
        (0..2_500_u16)
            .map(|i| f32::from((i * (n + 1)) % 97) - 48.0)
            .collect()
    };
    let chunks: Vec<_> = (0..20)
        .map(|n| tenantry_vector_client::conformance::chunk(n.into(), &format!("n{n}"), Some(&values(n))))
        .collect();
    store
        .upsert(
            tenant.index(Generation::FIRST),
            version(1, 1),
            &Metadata::default(),
            &chunks,
        )
        .unwrap();
    search(&store, &tenant, "n7", None);
    store.finish_graphs().unwrap();
    assert_eq!(
        count(
            &mut database.connect(),
            "pg_indexes WHERE indexdef LIKE '%halfvec(2500)%'"
        ),
        1
    );
    let found = search(&store, &tenant, "", Some(&embedding(&values(7))));
    assert_eq!(found[0].chunk.text, "n7");
    assert!(
        (found[0].score.dense.unwrap() - 1.0).abs() < 1e-5,
        "the score is of the whole embedding"
    );
}

//! Tenants with a Pinecone project of their own: what is checked when they are saved, and what later.

use serde_json::{Value, json};

use crate::database::Database;
use crate::house::House;
use crate::server::free_port;
use crate::upstreams::{PineconeAccount, Upstreams};
use crate::{on_both_databases, wait_for};

on_both_databases! {
    settings_that_cannot_work_are_refused_when_they_are_saved
    a_tenant_saved_while_pinecone_is_away_is_checked_at_its_first_use
    a_changed_key_is_the_one_that_is_sent_from_then_on
    two_tenants_of_one_pinecone_project_keep_to_their_namespaces
}

const KEY: &str = "pcsk-acme-0123456789abcdef";
const NEW_KEY: &str = "pcsk-acme-fedcba9876543210";

fn tenant(key: &str, index: Option<&str>) -> Value {
    json!({
        "id": "acme",
        "name": "Acme Tools",
        "pinecone_environment": "us-east-1-aws",
        "pinecone_index": index,
        "pinecone_api_key": key,
        "system_prompt": "Answer briefly.",
    })
}

fn settings_that_cannot_work_are_refused_when_they_are_saved(database: &Database) {
    let upstreams = Upstreams::start(&[
        PineconeAccount::new(KEY, "acme-docs"),
        PineconeAccount::new(KEY, "acme-small").dimension(8),
        PineconeAccount::new(KEY, "acme-far").metric("euclidean"),
    ]);
    let house = House::open_with(upstreams.settings(database));
    let refused = |tenant: &Value| house.superuser.post("/admin/tenants/", tenant).error(422);

    assert_eq!(
        refused(&tenant("pcsk-wrong-0123456789abcd", Some("acme-docs"))),
        "pinecone_key_refused"
    );
    assert_eq!(
        refused(&tenant(KEY, Some("acme-nowhere"))),
        "pinecone_index_unknown"
    );
    assert_eq!(
        refused(&tenant(KEY, Some("acme-small"))),
        "pinecone_dimension_mismatch"
    );
    assert_eq!(
        refused(&tenant(KEY, Some("acme-far"))),
        "pinecone_metric_unsupported"
    );
    assert_eq!(refused(&tenant("", Some("acme-docs"))), "invalid_request");
    assert_eq!(
        house.superuser.get("/admin/tenants/").expect(200)["total"],
        0,
        "nothing is kept of a refused tenant"
    );

    let saved = house
        .superuser
        .post("/admin/tenants/", &tenant(KEY, Some("acme-docs")))
        .expect(201);
    assert_eq!(saved["pinecone_status"], "verified", "{saved}");
    assert_eq!(saved["has_pinecone_api_key"], true);
    assert_eq!(saved["pinecone_api_key_last_four"], "cdef");

    let wrong = json!({ "pinecone_api_key": "pcsk-wrong-0123456789abcd" });
    assert_eq!(
        house.superuser.put("/admin/tenants/acme", &wrong).error(422),
        "pinecone_key_refused"
    );
    let kept = house.superuser.get("/admin/tenants/acme").expect(200);
    assert_eq!(
        kept["pinecone_api_key_last_four"], "cdef",
        "a refused change changes nothing"
    );
}

fn a_tenant_saved_while_pinecone_is_away_is_checked_at_its_first_use(database: &Database) {
    let upstreams = Upstreams::start(&[PineconeAccount::new(KEY, "acme-docs")]);
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let mut house = House::open_with(
        upstreams
            .settings(database)
            .with("PINECONE_CONTROL_URL", &nowhere),
    );

    let saved = house
        .superuser
        .post("/admin/tenants/", &tenant(KEY, Some("acme-docs")))
        .expect(201);
    assert_eq!(saved["pinecone_status"], "pending", "{saved}");
    let user = house.user_of("acme");
    let text = json!({ "title": "Returns", "text": "Acme takes tools back within 30 days." });
    let job = user.post("/documents", &text).expect(202);
    let job = format!("/jobs/{}", job["id"].as_str().unwrap());
    let tried = wait_for("a try without Pinecone", || {
        let job = user.get(&job).expect(200);
        job["reason"].is_string().then_some(job)
    });
    assert!(
        tried["state"] == "queued" || tried["state"] == "running",
        "it is tried again: {tried}"
    );
    let documents = user.get("/documents?state=ready").expect(200);
    assert_eq!(documents["total"], 0, "nothing can be found yet");

    // Pinecone is back.
    let settings = upstreams.settings(database);
    house.server = crate::server::Server::start(&settings);
    let user = user.at(house.server.port());
    wait_for("the job to be done by itself", || {
        (user.get(&job).expect(200)["state"] == "done").then_some(())
    });
    let found = user
        .post(
            "/search",
            &json!({ "query": "How many days are tools taken back?" }),
        )
        .expect(200);
    assert_eq!(found["items"][0]["title"], "Returns", "{found}");
    let superuser = house.superuser.at(house.server.port());
    let checked = superuser.get("/admin/tenants/acme").expect(200);
    assert_eq!(checked["pinecone_status"], "verified", "{checked}");
}

fn a_changed_key_is_the_one_that_is_sent_from_then_on(database: &Database) {
    let upstreams = Upstreams::start(&[
        PineconeAccount::new(KEY, "acme-docs"),
        PineconeAccount::new(NEW_KEY, "acme-docs"),
    ]);
    let house = House::open_with(upstreams.settings(database));
    let user = house.tenant(&tenant(KEY, Some("acme-docs")));
    let query = json!({ "query": "anything" });
    user.post("/search", &query).expect(200);

    let change = json!({ "pinecone_api_key": NEW_KEY });
    house.superuser.put("/admin/tenants/acme", &change).expect(200);
    let (old, new) = (upstreams.requests_with(KEY), upstreams.requests_with(NEW_KEY));
    user.post("/search", &query).expect(200);

    assert_eq!(upstreams.requests_with(KEY), old, "the old key was sent again");
    assert!(upstreams.requests_with(NEW_KEY) > new, "the new key was not sent");
}

fn two_tenants_of_one_pinecone_project_keep_to_their_namespaces(database: &Database) {
    let upstreams = Upstreams::start(&[PineconeAccount::new(KEY, "acme-docs")]);
    let house = House::open_with(upstreams.settings(database));
    let ids = ["acme", "globex"];
    let users = ids.map(|id| {
        let mut tenant = tenant(KEY, None);
        tenant["id"] = json!(id);
        let user = house.tenant(&tenant);
        let text = json!({ "title": id, "text": format!("{id} takes tools back within 30 days.") });
        user.add_document(&text);
        user
    });
    assert_eq!(upstreams.namespaces(), ids.map(|id| (id.to_owned(), 1)));
    let query = json!({ "query": "Who takes tools back within 30 days?", "limit": 10 });
    for (id, user) in ids.iter().zip(&users) {
        let found = user.post("/search", &query).expect(200);
        let titles: Vec<_> = found["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|hit| &hit["title"])
            .collect();
        assert_eq!(titles, [id], "{found}");
    }

    let document = users[0].get("/documents").expect(200)["items"][0]["id"].clone();
    let gone = users[0].delete(&format!("/documents/{}", document.as_str().unwrap()));
    assert_eq!(gone.status, 204, "{gone:?}");
    wait_for("a worker to remove the vectors", || {
        let mut left = upstreams.namespaces();
        left.retain(|(_, records)| *records > 0);
        (left == [("globex".to_owned(), 1)]).then_some(())
    });
}

//! Three tenants at one server: each one's key, namespace, prompt and texts go upstream with its own requests alone.

use serde_json::{Value, json};

use crate::client::Client;
use crate::database::Database;
use crate::house::House;
use crate::on_both_databases;
use crate::upstreams::{PineconeAccount, TenantTraffic, Upstreams};

on_both_databases! {
    no_tenant_is_ever_seen_in_anothers_requests
    what_one_tenant_stores_another_neither_finds_nor_removes
}

const QUESTION: &str = "How many days do I have to bring something back?";

/// A tenant whose every text, prompt and key has its id in it, so that it can be recognised anywhere.
struct Sample {
    id: &'static str,
    has_pinecone: bool,
    days: u32,
}

const SAMPLES: [Sample; 3] = [
    Sample {
        id: "amber",
        has_pinecone: true,
        days: 30,
    },
    Sample {
        id: "beryl",
        has_pinecone: true,
        days: 14,
    },
    Sample {
        id: "coral",
        has_pinecone: false,
        days: 7,
    },
];

impl Sample {
    fn key(&self) -> String {
        format!("pcsk-{}-0123456789abcdef", self.id)
    }

    fn index(&self) -> String {
        format!("{}-docs", self.id)
    }

    fn prompt(&self) -> String {
        format!("You speak for {}. Answer in one sentence.", self.id)
    }

    fn tenant(&self) -> Value {
        let mut tenant = json!({ "id": self.id, "name": self.id, "system_prompt": self.prompt() });
        if self.has_pinecone {
            tenant["pinecone_environment"] = json!("us-east-1-aws");
            tenant["pinecone_index"] = json!(self.index());
            tenant["pinecone_api_key"] = json!(self.key());
        }
        tenant
    }

    /// A text of several chunks, with characters of one to four bytes; the answer stands in the middle.
    fn text(&self) -> String {
        let note = format!("A note of {}: naïve café – 東京 😀 shelves and lamps. ", self.id);
        let filler = note.repeat(12);
        let answer = format!(
            "Whoever bought something at {} has {} days to bring it back.",
            self.id, self.days
        );
        format!("{filler}\n\n{answer}\n\n{filler}")
    }

    fn traffic(&self) -> TenantTraffic {
        TenantTraffic {
            id: self.id.to_owned(),
            pinecone: self
                .has_pinecone
                .then(|| PineconeAccount::new(&self.key(), &self.index())),
            prompts: vec![self.prompt()],
        }
    }
}

struct Town {
    upstreams: Upstreams,
    house: House,
    users: Vec<Client>,
}

/// A server with the three tenants, one user and one document each.
fn open(database: &Database) -> Town {
    let accounts: Vec<_> = SAMPLES
        .iter()
        .filter_map(|sample| sample.traffic().pinecone)
        .collect();
    let upstreams = Upstreams::start(&accounts);
    let house = House::open_with(upstreams.settings(database));
    let users: Vec<_> = SAMPLES
        .iter()
        .map(|sample| house.tenant(&sample.tenant()))
        .collect();
    for (sample, user) in SAMPLES.iter().zip(&users) {
        let job = user.add_document(&json!({ "title": "Returns", "text": sample.text() }));
        assert!(job["counts"]["chunks"].as_u64() > Some(1), "{job}");
    }
    Town {
        upstreams,
        house,
        users,
    }
}

fn no_tenant_is_ever_seen_in_anothers_requests(database: &Database) {
    let town = open(database);
    // All at once and again and again, so that whatever two requests could share, they would.
    std::thread::scope(|scope| {
        for _ in 0..3 {
            for (sample, user) in SAMPLES.iter().zip(&town.users) {
                scope.spawn(|| {
                    for _ in 0..3 {
                        check_search(sample, user);
                        check_chat(sample, user);
                        check_stream(sample, user);
                        check_talk(sample, user);
                    }
                });
            }
        }
    });
    check_owners(&town);
    town.upstreams
        .assert_kept_apart(&SAMPLES.map(|sample| sample.traffic()));
    for sample in &SAMPLES {
        let log = town.house.server.log();
        assert!(
            !log.contains(&sample.key()),
            "the log tells the key of {}",
            sample.id
        );
        let stored = database.sql("SELECT pinecone_api_key FROM tenants");
        assert!(
            !stored.contains(&sample.key()),
            "the database holds the key of {}",
            sample.id
        );
        let shown = town
            .house
            .superuser
            .get(&format!("/admin/tenants/{}", sample.id))
            .body;
        assert!(
            !shown.contains(&sample.key()),
            "the API tells the key of {}",
            sample.id
        );
    }
}

fn check_search(sample: &Sample, user: &Client) {
    let found = user
        .post("/search", &json!({ "query": QUESTION, "limit": 5 }))
        .expect(200);
    check_hits(sample, found["items"].as_array().unwrap());
}

fn check_chat(sample: &Sample, user: &Client) {
    let answer = user.post("/chat", &json!({ "message": QUESTION })).expect(200);
    check_answer(sample, answer["answer"].as_str().unwrap());
    check_sources(sample, &answer["sources"]);
    check_citations(&answer);
    assert_eq!(answer["usage"]["prompt_tokens"], 25, "{answer}");
}

/// A question and one that follows it, as they are answered and as they are kept.
fn check_talk(sample: &Sample, user: &Client) {
    let first = user.post("/chat", &json!({ "message": QUESTION })).expect(200);
    let follow = json!({ "message": QUESTION, "conversation_id": first["conversation_id"] });
    let second = user.post("/chat", &follow).expect(200);
    let path = format!(
        "/conversations/{}/messages",
        first["conversation_id"].as_str().unwrap()
    );
    let kept = user.get(&path).expect(200);
    assert_eq!(kept["total"], 4, "{kept}");
    for (answer, place) in [(first, 1), (second, 3)] {
        check_answer(sample, answer["answer"].as_str().unwrap());
        let message = &kept["items"][place];
        assert_eq!(
            (&message["text"], &message["id"]),
            (&answer["answer"], &answer["message_id"])
        );
        assert_eq!(message["citations"], answer["citations"]);
    }
}

/// What is cited is one of the sources, to the letter.
fn check_citations(answer: &Value) {
    let citations = answer["citations"].as_array().unwrap();
    assert!(!citations.is_empty() && answer["supported"] == true, "{answer}");
    for citation in citations {
        let number = usize::try_from(citation["number"].as_u64().unwrap()).unwrap();
        let source = &answer["sources"][number - 1];
        for field in [
            "number",
            "document_id",
            "title",
            "start",
            "end",
            "page",
            "excerpt",
        ] {
            assert_eq!(citation[field], source[field], "{answer}");
        }
    }
}

/// Each user's conversations are there for nobody else.
fn check_owners(town: &Town) {
    for (at, user) in town.users.iter().enumerate() {
        let listed = user.get("/conversations?limit=100").expect(200);
        let own = listed["items"].as_array().unwrap();
        assert!(!own.is_empty());
        let others = town.users.iter().enumerate().filter(|(other, _)| *other != at);
        for (_, other) in others {
            for conversation in own {
                let path = format!("/conversations/{}", conversation["id"].as_str().unwrap());
                assert_eq!(other.get(&path).error(404), "not_found");
                assert_eq!(other.get(&format!("{path}/messages")).error(404), "not_found");
            }
        }
    }
}

fn check_stream(sample: &Sample, user: &Client) {
    let events: Vec<_> = user.events("/chat", &json!({ "message": QUESTION })).collect();
    let names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
    let (first, last) = (names[0], names[names.len() - 1]);
    assert_eq!((first, last), ("sources", "done"), "{names:?}");
    assert!(
        names[1..names.len() - 1].iter().all(|name| *name == "delta"),
        "{names:?}"
    );
    check_sources(sample, &events[0].data["sources"]);
    let text = |data: &Value| data["text"].as_str().unwrap().to_owned();
    check_answer(
        sample,
        &events[1..events.len() - 1]
            .iter()
            .map(|event| text(&event.data))
            .collect::<String>(),
    );
}

fn check_answer(sample: &Sample, answer: &str) {
    assert!(
        answer.contains(&format!("{} days", sample.days)) && answer.contains("[1]"),
        "{}: {answer}",
        sample.id
    );
    for other in SAMPLES.iter().filter(|other| other.id != sample.id) {
        assert!(
            !answer.contains(&format!("{} days", other.days)),
            "{}: {answer}",
            sample.id
        );
    }
}

fn check_sources(sample: &Sample, sources: &Value) {
    let sources = sources.as_array().unwrap();
    check_hits(sample, sources);
    for (source, number) in sources.iter().zip(1..) {
        assert_eq!(source["number"], number, "{source}");
    }
}

/// Each hit says where it stands, and there it stands.
fn check_hits(sample: &Sample, hits: &[Value]) {
    assert!(!hits.is_empty(), "{} finds nothing", sample.id);
    let text: Vec<char> = sample.text().chars().collect();
    let mut last = f64::INFINITY;
    for hit in hits {
        let at = |name: &str| usize::try_from(hit[name].as_u64().unwrap()).unwrap();
        let piece: String = text[at("start")..at("end")].iter().collect();
        assert_eq!(hit["excerpt"], piece.as_str(), "{}", sample.id);
        assert!(
            hit["document_id"].is_string() && hit["chunk"].is_u64() && hit["title"] == "Returns",
            "{hit}"
        );
        let score = hit["score"].as_f64().unwrap();
        assert!(score <= last, "the best hit comes first: {hits:?}");
        last = score;
    }
}

fn what_one_tenant_stores_another_neither_finds_nor_removes(database: &Database) {
    let town = open(database);
    let own = |user: &Client| {
        user.get("/documents").expect(200)["items"][0]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let ids: Vec<_> = town.users.iter().map(own).collect();
    let unknown = "01890000-0000-7000-8000-000000000000";
    for (at, user) in town.users.iter().enumerate() {
        let foreign = ids
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
            .map(|(_, id)| id.as_str());
        for id in foreign {
            for answers in [
                [
                    user.get(&format!("/documents/{id}")),
                    user.get(&format!("/documents/{unknown}")),
                ],
                [
                    user.delete(&format!("/documents/{id}")),
                    user.delete(&format!("/documents/{unknown}")),
                ],
            ] {
                // A foreign document is answered as one that does not exist.
                let [foreign, missing] =
                    answers.map(|answer| (answer.error(404), answer.json()["error"]["message"].clone()));
                assert_eq!(foreign, missing);
            }
        }
        assert_eq!(user.get("/documents").expect(200)["total"], 1);
    }
    for (sample, user) in SAMPLES.iter().zip(&town.users) {
        check_search(sample, user);
    }
}

//! Two tenants that have everything in common but what is theirs, on two servers with one database.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::client::Client;
use crate::database::Database;
use crate::house::{House, PASSWORD};
use crate::server::{Server, Settings};

use super::issuer::Issuer;
use super::operations::Operation;

/// Two tenants whose ids begin alike, with the same names, titles and external ids.
pub(super) struct Town<'d> {
    database: &'d Database,
    /// The folder of vectors, which both servers share.
    _data: TempDir,
    house: House,
    second: Server,
    pub(super) superuser: Client,
    pub(super) acme: Resident,
    pub(super) acme2: Resident,
    before: Vec<String>,
    /// They are asked for their keys.
    _issuers: [Issuer; 2],
}

/// A tenant with all that it has.
pub(super) struct Resident {
    pub(super) id: String,
    /// The id of one thing of each kind.
    pub(super) ids: BTreeMap<&'static str, String>,
    /// Every kind of credential, at one server or the other.
    pub(super) credentials: Vec<(String, Client)>,
    /// Words that stand in its documents, prompt, conversation, key and user names alone.
    pub(super) marks: Vec<String>,
    /// What nobody may ever read again.
    pub(super) secrets: Vec<String>,
}

impl Resident {
    pub(super) fn id_for(&self, operation: &Operation) -> String {
        if operation.names_an_id() {
            self.ids[operation.kind()].clone()
        } else {
            String::new()
        }
    }

    /// What no log may hold.
    pub(super) fn everything_private(&self) -> impl Iterator<Item = String> {
        self.marks.iter().chain(&self.secrets).cloned()
    }
}

impl<'d> Town<'d> {
    pub(super) fn open(database: &'d Database) -> Self {
        let (first, second) = (Issuer::start("key-of-acme"), Issuer::start("key-of-acme2"));
        let data = TempDir::new().unwrap();
        let origins = format!("{},{}", first.url(), second.url());
        let settings = Settings::new(&database.url())
            .with("RUST_LOG", "trace")
            .with("TENANT_OIDC_ORIGINS", &origins)
            .with("VECTOR_STORE", database.vector_store())
            .with("DATA_DIR", data.path().to_str().unwrap());
        let house = House::open_with(settings.clone());
        let server = Server::start(&settings);
        let superuser = house.superuser.clone();
        let acme = settle(&house, &server, "acme", "amber", &first);
        let acme2 = settle(&house, &server, "acme2", "beryl", &second);
        let mut town = Self {
            database,
            _data: data,
            house,
            second: server,
            superuser,
            acme,
            acme2,
            before: Vec::new(),
            _issuers: [first, second],
        };
        town.before = town.state();
        town
    }

    pub(super) fn logs(&self) -> [String; 2] {
        [self.house.server.log(), self.second.log()]
    }

    /// Every row of every table of the database, and every file beside it.
    pub(super) fn dump(&self) -> String {
        self.database.dump()
    }

    /// What `tenantry tenant export` writes of the tenant.
    pub(super) fn export(&self, tenant: &str) -> String {
        let folder = self.house.server.folder();
        let file = folder.join(format!("{tenant}.tenantry"));
        let out = file.to_str().unwrap();
        let output = self
            .house
            .settings
            .run(folder, &["tenant", "export", "--tenant", tenant, "--out", out]);
        assert!(output.status.success(), "{output:?}");
        let unpacked = Command::new("gzip").args(["-dc", out]).output().unwrap();
        assert!(unpacked.status.success(), "{unpacked:?}");
        String::from_utf8(unpacked.stdout).unwrap()
    }

    /// Both tenants' things are as they were.
    #[track_caller]
    pub(super) fn nothing_was_changed(&self) {
        assert_eq!(self.state(), self.before);
    }

    fn state(&self) -> Vec<String> {
        let mut state = Vec::new();
        for resident in [&self.acme, &self.acme2] {
            let (_, admin) = resident
                .credentials
                .iter()
                .find(|(kind, _)| kind.ends_with("admin"))
                .unwrap();
            for target in [
                "documents",
                "tenant/users",
                "tenant/keys",
                "tenant/identity-providers",
                "tenant/prompts",
            ] {
                let mut list = admin.get(&format!("/{target}")).expect(200);
                for item in list["items"].as_array_mut().unwrap() {
                    // A key is noted to have been used, which is no change of it.
                    item.as_object_mut().unwrap().remove("last_used_at");
                }
                state.push(list.to_string());
            }
            let own = format!("/conversations/{}", resident.ids["conversations"]);
            state.push(admin.get(&own).expect(200).to_string());
        }
        state
    }
}

/// Makes a tenant with one of everything, each marked with `word`.
fn settle(house: &House, second: &Server, tenant: &str, word: &str, issuer: &Issuer) -> Resident {
    let mark = |what: &str| format!("{word}-{what}-mark");
    let root = &house.superuser;
    let made = json!({ "id": tenant, "name": "Acme", "system_prompt": mark("prompt") });
    root.post("/admin/tenants/", &made).expect(201);
    let mut ids = BTreeMap::from([("tenants", tenant.to_owned())]);
    let mut credentials = Vec::new();
    let mut secrets = vec![PASSWORD.to_owned()];
    let at = |place: usize, client: &Client| {
        let port = if place % 2 == 0 {
            house.server.port()
        } else {
            second.port()
        };
        client.at(port)
    };
    for (place, role) in ["admin", "member", "reader"].into_iter().enumerate() {
        let email = format!("{}@example.org", mark(role));
        let user = json!({ "email": email, "password": PASSWORD, "tenant_id": tenant, "role": role });
        let user = root.post("/admin/users/", &user).expect(201);
        ids.insert("users", user["id"].as_str().unwrap().to_owned());
        let login = house
            .server
            .client()
            .post("/login", &json!({ "email": email, "password": PASSWORD }))
            .expect(200);
        let [access, refresh] =
            ["access_token", "refresh_token"].map(|name| login[name].as_str().unwrap().to_owned());
        credentials.push((format!("{tenant} {role}"), at(place, &root.with_token(&access))));
        credentials.push((
            format!("{tenant} {role}'s refresh token"),
            at(place + 1, &root.with_token(&refresh)),
        ));
        secrets.extend([access, refresh]);
    }
    let admin = credentials[0].1.clone();
    let sessions = admin.get("/sessions").expect(200);
    ids.insert(
        "sessions",
        sessions["items"][0]["id"].as_str().unwrap().to_owned(),
    );

    let text = format!(
        "The handbook says that lamps hang behind the {} harbour wall.",
        mark("document")
    );
    let document = json!({ "title": "Handbook", "text": text, "external_id": "handbook", "metadata": { "kind": mark("metadata") } });
    let job = admin.add_document(&document);
    ids.insert("jobs", job["id"].as_str().unwrap().to_owned());
    ids.insert("documents", job["document_id"].as_str().unwrap().to_owned());
    let asked = admin
        .post(
            "/chat",
            &json!({ "message": format!("Where do the lamps hang, {}?", mark("question")) }),
        )
        .expect(200);
    ids.insert(
        "conversations",
        asked["conversation_id"].as_str().unwrap().to_owned(),
    );

    for (place, scopes) in [
        vec!["chat"],
        vec!["search"],
        vec!["ingest"],
        vec!["admin"],
        vec!["chat", "search", "ingest", "admin"],
    ]
    .into_iter()
    .enumerate()
    {
        let key = json!({ "name": mark("key"), "scopes": scopes });
        let made = admin.post("/tenant/keys", &key).expect(201);
        let text = made["key"].as_str().unwrap().to_owned();
        ids.insert("keys", made["id"].as_str().unwrap().to_owned());
        credentials.push((
            format!("{tenant} key for {scopes:?}"),
            at(place, &root.with_token(&text)),
        ));
        secrets.push(text);
    }

    let provider = issuer.provider(&mark("provider"));
    let made = admin.post("/tenant/identity-providers", &provider).expect(201);
    ids.insert("identity-providers", made["id"].as_str().unwrap().to_owned());
    let token = issuer.token(
        "the-same-subject",
        &format!("{}@example.net", mark("foreign")),
        "staff",
    );
    let stranger = at(1, &root.with_token(&token));
    // Seen for the first time, and a user from then on.
    stranger.get("/users/me").expect(200);
    credentials.push((format!("{tenant} token of its issuer"), stranger));
    secrets.push(token);
    let marks = [
        "prompt", "admin", "member", "document", "metadata", "question", "key", "provider", "foreign",
    ]
    .map(mark);
    Resident {
        id: tenant.to_owned(),
        ids,
        credentials,
        marks: marks.into(),
        secrets,
    }
}

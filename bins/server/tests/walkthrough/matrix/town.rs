//! Two tenants that have everything in common but what is theirs, on two servers with one database.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};
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
    let root = house.superuser.clone();
    let made = json!({ "id": tenant, "name": "Acme", "system_prompt": marked(word, "prompt") });
    root.post("/admin/tenants/", &made).expect(201);
    let mut settler = Settler {
        root,
        ports: [house.server.port(), second.port()],
        word,
        resident: Resident {
            id: tenant.to_owned(),
            ids: BTreeMap::from([("tenants", tenant.to_owned())]),
            credentials: Vec::new(),
            marks: MARKED.map(|what| marked(word, what)).into(),
            secrets: vec![PASSWORD.to_owned()],
        },
    };
    settler.add_people();
    settler.add_knowledge();
    settler.add_keys();
    settler.add_issuer(issuer);
    settler.resident
}

/// What is marked.
const MARKED: [&str; 9] = [
    "prompt", "admin", "member", "document", "metadata", "question", "key", "provider", "foreign",
];

fn marked(word: &str, what: &str) -> String {
    format!("{word}-{what}-mark")
}

/// A tenant in the making.
struct Settler<'w> {
    root: Client,
    ports: [u16; 2],
    word: &'w str,
    resident: Resident,
}

impl Settler<'_> {
    /// Notes a credential, which is used at one server and the next at the other.
    fn credential(&mut self, kind: &str, text: &str) -> Client {
        let port = self.ports[self.resident.credentials.len() % 2];
        let client = self.root.with_token(text).at(port);
        let kind = format!("{} {kind}", self.resident.id);
        self.resident.credentials.push((kind, client.clone()));
        self.resident.secrets.push(text.to_owned());
        client
    }

    fn id(&mut self, kind: &'static str, id: &Value) {
        self.resident.ids.insert(kind, id.as_str().unwrap().to_owned());
    }

    /// An admin, the first of all credentials, a member and a reader.
    fn add_people(&mut self) {
        for role in ["admin", "member", "reader"] {
            let email = format!("{}@example.org", marked(self.word, role));
            let user =
                json!({ "email": email, "password": PASSWORD, "tenant_id": self.resident.id, "role": role });
            let user = self.root.post("/admin/users/", &user).expect(201);
            self.id("users", &user["id"]);
            let login = json!({ "email": email, "password": PASSWORD });
            let login = self.root.post("/login", &login).expect(200);
            self.credential(role, login["access_token"].as_str().unwrap());
            let refresh = login["refresh_token"].as_str().unwrap();
            self.credential(&format!("{role}'s refresh token"), refresh);
        }
        let sessions = self.admin().get("/sessions").expect(200);
        self.id("sessions", &sessions["items"][0]["id"]);
    }

    fn admin(&self) -> Client {
        self.resident.credentials[0].1.clone()
    }

    fn add_knowledge(&mut self) {
        let [document, kind, question] =
            ["document", "metadata", "question"].map(|what| marked(self.word, what));
        let text = format!("The handbook says that lamps hang behind the {document} harbour wall.");
        let document = json!({ "title": "Handbook", "text": text, "external_id": "handbook", "metadata": { "kind": kind } });
        let job = self.admin().add_document(&document);
        self.id("jobs", &job["id"]);
        self.id("documents", &job["document_id"]);
        let question = json!({ "message": format!("Where do the lamps hang, {question}?") });
        let asked = self.admin().post("/chat", &question).expect(200);
        self.id("conversations", &asked["conversation_id"]);
    }

    /// A key for each scope, and one for all.
    fn add_keys(&mut self) {
        let each = ["chat", "search", "ingest", "admin"];
        for scopes in each.iter().map(std::slice::from_ref).chain([each.as_slice()]) {
            let key = json!({ "name": marked(self.word, "key"), "scopes": scopes });
            let made = self.admin().post("/tenant/keys", &key).expect(201);
            self.id("keys", &made["id"]);
            self.credential(&format!("key for {scopes:?}"), made["key"].as_str().unwrap());
        }
    }

    fn add_issuer(&mut self, issuer: &Issuer) {
        let provider = issuer.provider(&marked(self.word, "provider"));
        let made = self
            .admin()
            .post("/tenant/identity-providers", &provider)
            .expect(201);
        self.id("identity-providers", &made["id"]);
        let email = format!("{}@example.net", marked(self.word, "foreign"));
        let token = issuer.token("the-same-subject", &email, "staff");
        let stranger = self.credential("token of its issuer", &token);
        // Seen for the first time, and a user from then on.
        stranger.get("/users/me").expect(200);
    }
}

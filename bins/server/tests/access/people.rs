//! Two tenants, and a caller of every kind in each.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;
use crate::database::Database;
use crate::house::{House, PASSWORD, plain_tenant};
use crate::operations::Operation;
use crate::server::Settings;

/// What a caller has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Nobody,
    Reader,
    Member,
    Admin,
    /// Without a tenant.
    Superuser,
    /// With the role of a reader in a tenant.
    SuperuserOfTenant,
    ChatKey,
    SearchKey,
    IngestKey,
    AdminKey,
}

impl Kind {
    pub(crate) const ALL: [Self; 10] = [
        Self::Nobody,
        Self::Reader,
        Self::Member,
        Self::Admin,
        Self::Superuser,
        Self::SuperuserOfTenant,
        Self::ChatKey,
        Self::SearchKey,
        Self::IngestKey,
        Self::AdminKey,
    ];

    /// What the page calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Reader => "reader",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Superuser => "superuser",
            Self::SuperuserOfTenant => "superuser and reader",
            Self::ChatKey => "key `chat`",
            Self::SearchKey => "key `search`",
            Self::IngestKey => "key `ingest`",
            Self::AdminKey => "key `admin`",
        }
    }

    pub(crate) fn has_a_tenant(self) -> bool {
        !matches!(self, Self::Nobody | Self::Superuser)
    }

    /// The scope of an API key.
    fn scope(self) -> Option<&'static str> {
        match self {
            Self::ChatKey => Some("chat"),
            Self::SearchKey => Some("search"),
            Self::IngestKey => Some("ingest"),
            Self::AdminKey => Some("admin"),
            _ => None,
        }
    }

    /// The role of a user in the tenant.
    fn role(self) -> Option<&'static str> {
        match self {
            Self::Reader | Self::SuperuserOfTenant => Some("reader"),
            Self::Member => Some("member"),
            Self::Admin => Some("admin"),
            _ => None,
        }
    }

    fn email(self, tenant: &str) -> String {
        match self {
            Self::Superuser => "root@example.org".to_owned(),
            Self::SuperuserOfTenant => format!("root@{tenant}.example.org"),
            _ => format!("{}@{tenant}.example.org", self.role().unwrap_or("nobody")),
        }
    }
}

/// A running server with its people.
pub(crate) struct Town {
    house: House,
    callers: BTreeMap<(Kind, &'static str), Client>,
    /// Things of the first tenant, by the path that is about one.
    things: BTreeMap<&'static str, String>,
    _data: TempDir,
}

impl Town {
    pub(crate) const TENANTS: [&str; 2] = ["acme", "globex"];

    pub(crate) fn open(database: &Database) -> Self {
        let data = TempDir::new().unwrap();
        let settings = Settings::new(&database.url()).with("DATA_DIR", data.path().to_str().unwrap());
        let mut town = Self {
            house: House::open_with(settings),
            callers: BTreeMap::new(),
            things: BTreeMap::new(),
            _data: data,
        };
        for tenant in Self::TENANTS {
            town.settle(tenant);
        }
        town.fill(Self::TENANTS[0]);
        town
    }

    pub(crate) fn nobody(&self) -> Client {
        self.house.server.client()
    }

    /// The caller of a kind, with a session of their own where the call may end it.
    pub(crate) fn caller(&self, kind: Kind, tenant: &'static str, anew: bool) -> Client {
        if anew && kind != Kind::Nobody && kind.scope().is_none() {
            return self.nobody().log_in(&kind.email(tenant), PASSWORD);
        }
        self.callers[&(kind, tenant)].clone()
    }

    /// The id of a thing of the first tenant that the operation could be about.
    pub(crate) fn thing(&self, operation: &Operation) -> Option<&str> {
        let about = self
            .things
            .iter()
            .find(|(path, _)| operation.path.starts_with(**path));
        about.map(|(_, id)| id.as_str())
    }

    /// Makes a tenant with a caller of each kind.
    fn settle(&mut self, tenant: &'static str) {
        let superuser = &self.house.superuser;
        superuser
            .post("/admin/tenants", &plain_tenant(tenant))
            .expect(201);
        for kind in Kind::ALL {
            if let Some(role) = kind.role() {
                let is_superuser = kind == Kind::SuperuserOfTenant;
                let user = json!({
                    "email": kind.email(tenant), "password": PASSWORD, "tenant_id": tenant, "role": role,
                    "is_superuser": is_superuser
                });
                superuser.post("/admin/users", &user).expect(201);
            }
        }
        let admin = self.nobody().log_in(&Kind::Admin.email(tenant), PASSWORD);
        for kind in Kind::ALL {
            let caller = match (kind, kind.scope()) {
                (Kind::Nobody, _) => self.nobody(),
                (_, Some(scope)) => {
                    let key = json!({ "name": scope, "scopes": [scope] });
                    let made = admin.post("/tenant/keys", &key).expect(201);
                    self.nobody().with_token(made["key"].as_str().unwrap())
                }
                (_, None) => self.nobody().log_in(&kind.email(tenant), PASSWORD),
            };
            self.callers.insert((kind, tenant), caller);
        }
    }

    /// Makes one thing of each sort.
    fn fill(&mut self, tenant: &'static str) {
        let admin = self.caller(Kind::Admin, tenant, false);
        let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
        let job = admin.add_document(&json!({ "title": "Hours", "text": "Open from nine to five." }));
        let document = job["document_id"].as_str().unwrap().to_owned();
        let conversation = admin
            .post("/conversations", &json!({ "title": "Hours" }))
            .expect(201);
        let users = admin.get("/tenant/users").expect(200);
        let keys = admin.get("/tenant/keys").expect(200);
        self.things = BTreeMap::from([
            ("/documents/{id}", document),
            ("/jobs/{id}", id(&job)),
            ("/conversations/{id}", id(&conversation)),
            ("/tenant/users/{id}", id(&users["items"][0])),
            ("/tenant/keys/{id}", id(&keys["items"][0])),
        ]);
    }
}

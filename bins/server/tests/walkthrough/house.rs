//! A running server with its superuser, and tenants made over its API.

use serde_json::{Value, json};

use crate::client::Client;
use crate::database::Database;
use crate::server::{Server, Settings};

/// The password of every account here.
pub(crate) const PASSWORD: &str = "seven lamps behind the harbour wall";

/// A server on a database, and the one who runs it.
pub(crate) struct House {
    pub(crate) server: Server,
    pub(crate) settings: Settings,
    /// Calls the server as a superuser.
    pub(crate) superuser: Client,
}

impl House {
    /// A server on an empty database, without any upstream.
    #[track_caller]
    pub(crate) fn open(database: &Database) -> Self {
        Self::open_with(Settings::new(&database.url()))
    }

    /// A server with those settings on an empty database.
    #[track_caller]
    pub(crate) fn open_with(settings: Settings) -> Self {
        let server = Server::start(&settings);
        let email = "root@example.org";
        user_create(&server, &settings, email, &["--superuser"]);
        let superuser = server.client().log_in(email, PASSWORD);
        Self {
            server,
            settings,
            superuser,
        }
    }

    /// Makes a tenant from the body of `POST /admin/tenants/`, and gives a client of a user of it.
    #[track_caller]
    pub(crate) fn tenant(&self, tenant: &Value) -> Client {
        self.superuser.post("/admin/tenants/", tenant).expect(201);
        self.user_of(tenant["id"].as_str().unwrap())
    }

    /// Makes a user of a tenant, and gives its client.
    #[track_caller]
    pub(crate) fn user_of(&self, tenant: &str) -> Client {
        let email = format!("user@{tenant}.example.org");
        let user = json!({ "email": email, "password": PASSWORD, "tenant_id": tenant });
        self.superuser.post("/admin/users/", &user).expect(201);
        self.server.client().log_in(&email, PASSWORD)
    }
}

/// Runs `tenantry user create`.
#[track_caller]
pub(crate) fn user_create(server: &Server, settings: &Settings, email: &str, options: &[&str]) {
    let settings = settings.clone().with("TENANTRY_PASSWORD", PASSWORD);
    let arguments = [&["user", "create", "--email", email], options].concat();
    let output = settings.run(server.folder(), &arguments);
    assert!(output.status.success(), "{output:?}");
}

/// The body that makes a tenant on the server's own vector store.
pub(crate) fn plain_tenant(id: &str) -> Value {
    json!({ "id": id, "name": id })
}

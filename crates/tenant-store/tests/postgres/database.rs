use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use tenantry_tenant_store::{DatabaseUrl, PoolOptions, SqlStore};

/// A database of one test, dropped with it.
pub(crate) struct Database {
    name: String,
}

impl Database {
    /// An empty database, ordered by a language's rules where the server can, so that ours must hold against them.
    pub(crate) fn create() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tenantry_test_{}_{count}", std::process::id());
        let mut server = server();
        let by_language = format!(
            "CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C' ENCODING 'UTF8'"
        );
        if server.batch_execute(&by_language).is_err() {
            server
                .batch_execute(&format!(
                    "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"
                ))
                .unwrap();
        }
        Self { name }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A plain connection as the superuser.
    pub(crate) fn connect(&self) -> PgConnection {
        PgConnection::establish(&url(None, &self.name)).unwrap()
    }

    /// A plain connection as `user`.
    pub(crate) fn connect_as(&self, user: &str) -> PgConnection {
        PgConnection::establish(&url(Some(user), &self.name)).unwrap()
    }

    /// The URL by which `user` comes to the database.
    pub(crate) fn url_as(&self, user: &str) -> String {
        url(Some(user), &self.name)
    }

    /// A store as the superuser.
    pub(crate) fn store(&self) -> SqlStore {
        self.store_with(None, PoolOptions::default())
    }

    /// A store as `user`, or as the superuser.
    pub(crate) fn store_with(&self, user: Option<&str>, options: PoolOptions) -> SqlStore {
        SqlStore::connect(&DatabaseUrl::parse(&url(user, &self.name)).unwrap(), options).unwrap()
    }

    /// Makes a user with `rights` who owns the database.
    pub(crate) fn give_to(&self, user: &str, rights: &str) {
        server()
            .batch_execute(&format!(
                "CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}' {rights}; ALTER DATABASE {} OWNER TO {user}",
                self.name
            ))
            .unwrap();
    }

    /// Takes the database from `user` and removes the user.
    pub(crate) fn take_from(&self, user: &str) {
        let take = format!("REASSIGN OWNED BY {user} TO CURRENT_USER; DROP OWNED BY {user}");
        self.connect().batch_execute(&take).unwrap();
        server().batch_execute(&format!("DROP ROLE {user}")).unwrap();
    }

    /// Lets new connections in, or throws everybody out and keeps the door shut.
    pub(crate) fn open(&self, open: bool) {
        let mut server = server();
        server
            .batch_execute(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS {open}", self.name))
            .unwrap();
        if !open {
            self.kill_connections();
        }
    }

    /// Ends every connection to the database.
    pub(crate) fn kill_connections(&self) {
        let kill = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
            self.name
        );
        server().batch_execute(&kill).unwrap();
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let dropped = server().batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        if !std::thread::panicking() {
            dropped.unwrap();
        }
    }
}

const PASSWORD: &str = "hunter2";

/// Waits a moment between two looks at the server.
pub(crate) fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}

fn server() -> PgConnection {
    PgConnection::establish(&given()).unwrap_or_else(|error| panic!("TEST_DATABASE_URL: {error}"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests are told by the environment where the server is"
)]
fn given() -> String {
    std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!(
            "these tests need a PostgreSQL server: run them with `scripts/with-postgres cargo test ...`, or set \
             TEST_DATABASE_URL to the URL of a superuser, as postgres://postgres@127.0.0.1:5432/postgres"
        )
    })
}

/// The server's URL with another database, and another user where one is named.
fn url(user: Option<&str>, database: &str) -> String {
    let given = given();
    let (rest, parameters) = given.split_once('?').unwrap_or((&given, ""));
    let (scheme, rest) = rest.split_once("://").unwrap();
    let authority = rest.split('/').next().unwrap_or_default();
    let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let login = user.map_or(login.to_owned(), |user| format!("{user}:{PASSWORD}"));
    format!("{scheme}://{login}@{hosts}/{database}?{parameters}")
}

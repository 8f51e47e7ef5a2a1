use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use tenantry_vector_client::{PgVectorOptions, PgVectorStore, VectorError};

/// A database of one test, dropped with it.
pub(crate) struct Database {
    name: String,
}

impl Database {
    /// An empty database, ordered by a language's rules where the server can, so that ours must hold against them.
    pub(crate) fn create() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tenantry_vectors_{}_{count}", std::process::id());
        let by_language = format!(
            "CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C' ENCODING 'UTF8'"
        );
        let mut server = server();
        if server.batch_execute(&by_language).is_err() {
            let plain = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'");
            server.batch_execute(&plain).unwrap();
        }
        Self { name }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn url(&self, user: Option<&str>) -> String {
        url(user, &self.name)
    }

    /// A plain connection as the superuser.
    pub(crate) fn connect(&self) -> PgConnection {
        PgConnection::establish(&self.url(None)).unwrap()
    }

    /// A store as the superuser.
    pub(crate) fn store(&self) -> PgVectorStore {
        self.store_with(None, PgVectorOptions::default())
    }

    /// A store as `user`, or as the superuser.
    pub(crate) fn store_with(&self, user: Option<&str>, options: PgVectorOptions) -> PgVectorStore {
        self.open(user, options).unwrap()
    }

    pub(crate) fn open(
        &self,
        user: Option<&str>,
        options: PgVectorOptions,
    ) -> Result<PgVectorStore, VectorError> {
        PgVectorStore::open(&self.url(user), options)
    }

    /// Lets new connections in, or throws everybody out and keeps the door shut.
    pub(crate) fn open_doors(&self, open: bool) {
        let mut server = server();
        server
            .batch_execute(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS {open}", self.name))
            .unwrap();
        if !open {
            let kill = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
                self.name
            );
            server.batch_execute(&kill).unwrap();
        }
    }

    /// Makes a user with `rights` who owns the database.
    pub(crate) fn give_to(&self, user: &str, rights: &str) {
        let give = format!(
            "CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}' {rights}; ALTER DATABASE {} OWNER TO {user}",
            self.name
        );
        server().batch_execute(&give).unwrap();
    }

    /// Takes the database from `user` and removes the user.
    pub(crate) fn take_from(&self, user: &str) {
        let take = format!("REASSIGN OWNED BY {user} TO CURRENT_USER; DROP OWNED BY {user}");
        self.connect().batch_execute(&take).unwrap();
        server().batch_execute(&format!("DROP ROLE {user}")).unwrap();
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

/// The number of rows of a table or of what stands in its place.
pub(crate) fn count(conn: &mut PgConnection, from: &str) -> i64 {
    let count = sql::<BigInt>(&format!("(SELECT count(*) FROM {from})"));
    diesel::select(count).get_result(conn).unwrap()
}

/// The one text that `query` gives.
pub(crate) fn text(conn: &mut PgConnection, query: &str) -> String {
    diesel::select(sql::<Text>(&format!("({query})")))
        .get_result(conn)
        .unwrap()
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
            "these tests need a PostgreSQL server with pgvector: run them with `scripts/with-pgvector cargo test ...`, or set \
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

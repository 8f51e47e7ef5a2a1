use std::fmt;
use std::path::Path;
#[cfg(feature = "sqlite")]
use std::path::PathBuf;
use std::str::FromStr;

/// Where a database is: `postgres://`, `postgresql://` or `sqlite://` with a path. `Debug` and `Display` leave out
/// the password and every parameter.
///
/// # Examples
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use tenantry_tenant_store::DatabaseUrl;
///
/// let url = DatabaseUrl::parse("sqlite://data/tenantry.db").unwrap();
/// assert_eq!(url.to_string(), "sqlite://data/tenantry.db");
/// assert!(DatabaseUrl::parse("mysql://localhost/tenantry").is_err());
/// # }
/// ```
#[derive(Clone)]
pub struct DatabaseUrl {
    target: Target,
    shown: String,
}

/// What to hand to which driver.
#[derive(Clone)]
pub(super) enum Target {
    #[cfg(feature = "postgres")]
    Postgres(String),
    #[cfg(feature = "sqlite")]
    Sqlite(PathBuf),
}

/// Text that names no database; never shows the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseUrlError {
    /// The text begins otherwise.
    #[error("expected a URL that begins with postgres://, postgresql:// or sqlite://")]
    Scheme,
    /// The program was built without that database.
    #[error("{database} is not built in: build with the feature `{feature}`")]
    NotBuiltIn {
        /// The database.
        database: &'static str,
        /// The feature that brings it.
        feature: &'static str,
    },
    /// The rest of the URL has another form.
    #[error("{0}")]
    Malformed(&'static str),
}

impl DatabaseUrl {
    /// Reads a URL; touches neither the network nor the file system.
    ///
    /// A PostgreSQL URL is what libpq reads (PostgreSQL documentation, section "Connection URIs"), with special
    /// characters in user and password percent-encoded. An SQLite path is taken as it is, relative to the working
    /// directory unless it begins with `/`, as in `sqlite:///var/lib/tenantry.db`.
    ///
    /// # Errors
    /// When the scheme is another, or is not built in, or the rest is malformed.
    pub fn parse(text: &str) -> Result<Self, DatabaseUrlError> {
        match text.split_once("://") {
            Some(("postgres" | "postgresql", rest)) => postgres(rest),
            Some(("sqlite", path)) => sqlite(path),
            _ => Err(DatabaseUrlError::Scheme),
        }
    }

    /// The file of the database, where it is one.
    pub fn file(&self) -> Option<&Path> {
        match &self.target {
            #[cfg(feature = "postgres")]
            Target::Postgres(_) => None,
            #[cfg(feature = "sqlite")]
            Target::Sqlite(path) => Some(path),
        }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({})", self.shown)
    }
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(_: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    Err(DatabaseUrlError::NotBuiltIn {
        database: "SQLite",
        feature: "sqlite",
    })
}

#[cfg(feature = "sqlite")]
fn sqlite(path: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    use DatabaseUrlError::Malformed;
    if path.is_empty() || path.ends_with('/') || path.chars().any(char::is_control) {
        return Err(Malformed("expected the path of a file after sqlite://"));
    }
    if path.contains(":memory:") {
        return Err(Malformed(
            "a database in memory would be another one for each connection: name a file",
        ));
    }
    if path.contains('?') {
        return Err(Malformed("a sqlite:// URL is a path without parameters"));
    }
    Ok(DatabaseUrl {
        target: Target::Sqlite(path.into()),
        shown: format!("sqlite://{path}"),
    })
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    Err(DatabaseUrlError::NotBuiltIn {
        database: "PostgreSQL",
        feature: "postgres",
    })
}

/// Checks the form strictly: libpq's own complaints quote the URL, and a misread one might show a password as host.
#[cfg(feature = "postgres")]
fn postgres(rest: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    use DatabaseUrlError::Malformed;
    const FORM: DatabaseUrlError = Malformed(
        "expected postgres://user:password@host:port/database, special characters percent-encoded (`@` is %40)",
    );
    let (address, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = address.split_once('/').unwrap_or((address, ""));
    let (login, hosts) = authority.split_once('@').unwrap_or(("", authority));
    let user = login.split_once(':').map_or(login, |(user, _)| user);
    let well_formed = hosts.split(',').all(is_host)
        && !database.contains(['/', '@'])
        && !parameters.contains('@')
        && !rest.chars().any(|c| c.is_control() || c.is_whitespace())
        && is_percent_encoded(rest);
    let Some(parameters) = with_defaults(parameters).filter(|_| well_formed) else {
        return Err(FORM);
    };
    let url = format!("postgres://{address}?{parameters}");
    let at = if user.is_empty() { "" } else { "@" };
    Ok(DatabaseUrl {
        target: Target::Postgres(url),
        shown: format!("postgres://{user}{at}{hosts}/{database}"),
    })
}

/// What a URL that does not say otherwise gets, so that no call waits for a host that has vanished: seconds for a
/// connection, milliseconds for the acknowledgement of what was sent.
#[cfg(feature = "postgres")]
const DEFAULTS: [(&str, &str); 4] = [
    ("connect_timeout", "2"),
    ("tcp_user_timeout", "10000"),
    ("keepalives_idle", "30"),
    ("fallback_application_name", "tenantry"),
];

/// The parameters, with the defaults of those that are not set; `None` when one has no proper name.
#[cfg(feature = "postgres")]
fn with_defaults(parameters: &str) -> Option<String> {
    let given: Vec<&str> = parameters
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .collect();
    let keys: Vec<&str> = given
        .iter()
        .map(|parameter| parameter.split_once('=').map(|(key, _)| key))
        .map(|key| key.filter(|key| is_keyword(key)))
        .collect::<Option<_>>()?;
    let added = DEFAULTS
        .iter()
        .filter(|(key, _)| !keys.contains(key))
        .map(|(key, value)| format!("{key}={value}"));
    let given = given.iter().map(|parameter| (*parameter).to_owned());
    Some(given.chain(added).collect::<Vec<_>>().join("&"))
}

#[cfg(feature = "postgres")]
fn is_keyword(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// A name or address with an optional port; none at all means the local socket.
#[cfg(feature = "postgres")]
fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            if !address
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.' | b'%'))
            {
                return false;
            }
            ("", rest.strip_prefix(':').unwrap_or(rest))
        }
        None => host.split_once(':').unwrap_or((host, "")),
    };
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'%'))
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether every `%` stands before two hexadecimal digits that are not `00`.
#[cfg(feature = "postgres")]
fn is_percent_encoded(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        after
            .get(..2)
            .is_some_and(|digits| digits != "00" && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_scheme_is_refused_without_showing_the_text() {
        for text in [
            "",
            "postgres:typo",
            "postgres:/x",
            "mysql://u:hunter2@h/d",
            "sqlite:x.db",
            "hunter2",
            "POSTGRES://h/d",
        ] {
            let error = DatabaseUrl::parse(text).unwrap_err();
            assert_eq!(error, DatabaseUrlError::Scheme, "{text}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn a_path_is_taken_as_it_is() {
        for path in ["x.db", "/var/lib/x.db", "a b/ü%20#.db", "file:x"] {
            let url = DatabaseUrl::parse(&format!("sqlite://{path}")).unwrap();
            assert!(matches!(url.target(), Target::Sqlite(taken) if taken.to_str() == Some(path)));
        }
        for path in ["", "data/", "/", ":memory:", "x.db?mode=ro", "a\0b"] {
            let error = DatabaseUrl::parse(&format!("sqlite://{path}")).unwrap_err();
            assert!(matches!(error, DatabaseUrlError::Malformed(_)), "{path}");
        }
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn a_password_is_never_shown() {
        for text in [
            "postgres://ada:hunter2@db.example.org:5432/tenantry?sslmode=require",
            "postgresql://ada:hunter2@h1:1,[::1]:2/tenantry",
            "postgres://:hunter2@h",
            "postgres://ada@h/d?password=hunter2",
            "postgres:///d?host=/var/run/postgresql&sslpassword=hunter2",
            "postgres://ada:%68unter2:hunter2@/d",
        ] {
            let url = DatabaseUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let shown = format!("{url} {url:?}");
            assert!(!shown.contains("unter2"), "{shown}");
            assert!(matches!(url.target(), Target::Postgres(handed) if handed.contains("hunter2")));
        }
        let url = DatabaseUrl::parse("postgres://ada:hunter2@h1:1,[::1]:2/tenantry?sslmode=require").unwrap();
        assert_eq!(url.to_string(), "postgres://ada@h1:1,[::1]:2/tenantry");
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn a_password_that_is_not_encoded_is_refused_without_showing_it() {
        for text in [
            "postgres://ada:hunter2@x@h/d",
            "postgres://ada:hunter2/x@h/d",
            "postgres://ada:12/hunter2@h/d",
            "postgres://ada:12?hunter2@h/d",
            "postgres://ada:12?a=hunter2@h/d",
            "postgres://ada:hunter2?x@h/d",
            "postgres://ada:hunter2%zz@h/d",
            "postgres://ada:hunter2%0@h/d",
            "postgres://ada:hunter2%00@h/d",
            "postgres://ada:hun ter2@h/d",
            "postgres://h:hunter2/d",
            "postgres://h/d?hunter2",
            "postgres://h/d/hunter2",
        ] {
            let error = DatabaseUrl::parse(text).expect_err(text);
            assert!(matches!(error, DatabaseUrlError::Malformed(_)), "{text}");
            assert!(!format!("{error} {error:?}").contains("hun"), "{text}");
        }
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn a_url_is_given_the_limits_that_it_does_not_set() {
        let handed = |text: &str| match DatabaseUrl::parse(text).unwrap().target {
            Target::Postgres(url) => url,
            #[cfg(feature = "sqlite")]
            Target::Sqlite(path) => panic!("{path:?}"),
        };
        let defaults = "tcp_user_timeout=10000&keepalives_idle=30&fallback_application_name=tenantry";
        assert_eq!(
            handed("postgres://h/d"),
            format!("postgres://h/d?connect_timeout=2&{defaults}")
        );
        assert_eq!(
            handed("postgresql://h/d?connect_timeout=9&sslmode=require"),
            format!("postgres://h/d?connect_timeout=9&sslmode=require&{defaults}")
        );
    }

    #[cfg(not(feature = "postgres"))]
    #[test]
    fn a_database_that_is_not_built_in_is_named_with_its_feature() {
        let error = DatabaseUrl::parse("postgres://ada:hunter2@h/d").unwrap_err();
        assert_eq!(
            error.to_string(),
            "PostgreSQL is not built in: build with the feature `postgres`"
        );
    }

    #[cfg(not(feature = "sqlite"))]
    #[test]
    fn a_database_that_is_not_built_in_is_named_with_its_feature() {
        let error = DatabaseUrl::parse("sqlite://x.db").unwrap_err();
        assert_eq!(
            error.to_string(),
            "SQLite is not built in: build with the feature `sqlite`"
        );
    }
}

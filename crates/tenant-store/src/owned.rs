//! What belongs to a tenant: the one list that erasing goes by, and that archives are compared with.

/// A table with rows of tenants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnedTable {
    pub(crate) name: &'static str,
    pub(crate) whose: Whose,
    /// Why its rows are in no archive; `None` for those that are.
    #[cfg_attr(
        not(all(test, feature = "sqlite")),
        expect(dead_code, reason = "a note that a test asks for")
    )]
    pub(crate) left_out: Option<&'static str>,
}

/// By what a row is known to be a tenant's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// It has the tenant's id.
    Tenant,
    /// It is a user of the tenant, and no superuser.
    User,
    /// It has the id of such a user.
    OfUser,
}

const fn archived(name: &'static str) -> OwnedTable {
    OwnedTable {
        name,
        whose: Whose::Tenant,
        left_out: None,
    }
}

const fn left_out(name: &'static str, why: &'static str) -> OwnedTable {
    OwnedTable {
        name,
        whose: Whose::Tenant,
        left_out: Some(why),
    }
}

/// Every table with rows of tenants but `tenants` itself, each before those that its rows refer to. Indexes come last: until then they
/// say what the vector stores have.
pub(crate) const OWNED: [OwnedTable; 18] = [
    left_out(
        "source_parts",
        "files that nobody has read yet are handed in again",
    ),
    left_out("jobs", "work goes on where it was begun"),
    left_out("ingest_queue", "it follows from the jobs"),
    archived("document_segments"),
    archived("documents"),
    archived("messages"),
    archived("conversations"),
    archived("usage_by_day"),
    archived("system_prompts"),
    archived("api_keys"),
    archived("identities"),
    archived("identity_providers"),
    OwnedTable {
        name: "password_resets",
        whose: Whose::OfUser,
        left_out: Some("a link works where it was made"),
    },
    OwnedTable {
        name: "sessions",
        whose: Whose::OfUser,
        left_out: Some("who comes from an archive logs in anew"),
    },
    OwnedTable {
        name: "users",
        whose: Whose::User,
        left_out: None,
    },
    archived("audit_log"),
    left_out("audit_heads", "they follow from the entries"),
    left_out("indexes", "they are made again from the text"),
];

/// The tables that say what is being done with a tenant as a whole; their rows go with it.
#[cfg(all(test, feature = "sqlite"))]
pub(crate) const MARKS: [&str; 2] = ["tenant_imports", "tenant_erasures"];

//! Who is let in, as it should be, as it is, and as the page shows it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use crate::client::Response;
use crate::operations::Operation;
use crate::people::Kind;
use crate::root;

/// Where the table is shown.
const PAGE: &str = "docs/access.md";
/// Set, the page is written instead of compared.
const WRITE: &str = "TENANTRY_WRITE_ACCESS";
/// Between these lines of the page.
const BEGIN: &str = "<!-- access: begin -->\n";
const END: &str = "<!-- access: end -->\n";

/// What becomes of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// 401: nobody knows who it is.
    Unauthenticated,
    /// 403 with that code: whoever it is may not.
    Refused(&'static str),
    /// The operation itself answers, if only that there is nothing of that id.
    LetIn,
}

/// What the guards answer with; other errors come from the operations themselves.
const REFUSALS: [&str; 4] = [
    "permission_required",
    "superuser_required",
    "tenant_forbidden",
    "user_required",
];

/// What is answered to a request that is none.
const MALFORMED: [&str; 5] = [
    "bad_request",
    "invalid_json",
    "invalid_request",
    "method_not_allowed",
    "unsupported_media_type",
];

impl Outcome {
    /// What the answer to an operation for `access` shows. Which permission is lacking is in its sentence: an operation may refuse for
    /// lack of another one, as that of making an API key that may do more than its maker.
    #[track_caller]
    pub(crate) fn of(answer: &Response, access: &str) -> Self {
        let code = || {
            answer.json()["error"]["code"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        match answer.status {
            401 if matches!(code().as_str(), "unauthenticated" | "invalid_api_key") => Self::Unauthenticated,
            403 => {
                let code = code();
                let is_other = code == "permission_required" && !answer.body.contains(&format!("`{access}`"));
                let refusal = REFUSALS.into_iter().find(|refusal| code == *refusal);
                refusal.filter(|_| !is_other).map_or(Self::LetIn, Self::Refused)
            }
            500.. => panic!("{answer:?}"),
            // A body is looked at before the caller is. What is for anybody has nothing to show by it.
            400.. if access != "public" && MALFORMED.contains(&code().as_str()) => {
                panic!("the request was wrong, and so shows nothing: {answer:?}")
            }
            _ => Self::LetIn,
        }
    }

    fn cell(self) -> &'static str {
        match self {
            Self::Unauthenticated => "401",
            Self::Refused(_) => "403",
            Self::LetIn => "yes",
        }
    }
}

/// What should become of a caller of that kind, by whom the operation says that it is for.
pub(crate) fn expected(access: &str, kind: Kind) -> Outcome {
    use Kind::{
        Admin, AdminKey, ChatKey, IngestKey, Member, Nobody, Reader, SearchKey, Superuser, SuperuserOfTenant,
    };
    let refused_unless = |code, is_let_in| {
        if is_let_in {
            Outcome::LetIn
        } else {
            Outcome::Refused(code)
        }
    };
    let with_permission = |holders: &[Kind]| match kind {
        Superuser => Outcome::Refused("tenant_forbidden"),
        _ => refused_unless("permission_required", holders.contains(&kind)),
    };
    match (access, kind) {
        ("public", _) => Outcome::LetIn,
        (_, Nobody) => Outcome::Unauthenticated,
        ("user", ChatKey | SearchKey | IngestKey | AdminKey) => Outcome::Refused("user_required"),
        ("user", _) => Outcome::LetIn,
        ("chat", _) => with_permission(&[Reader, Member, Admin, SuperuserOfTenant, ChatKey]),
        ("search", _) => with_permission(&[Member, Admin, SearchKey]),
        ("ingest", _) => with_permission(&[Member, Admin, IngestKey]),
        ("admin", _) => with_permission(&[Admin, AdminKey]),
        ("superuser", _) => {
            let is_superuser = matches!(kind, Superuser | SuperuserOfTenant);
            refused_unless("superuser_required", is_superuser)
        }
        (unknown, _) => panic!("x-tenantry-access is {unknown}"),
    }
}

/// What was seen.
#[derive(Default)]
pub(crate) struct Table(BTreeMap<(String, String), (String, Vec<Outcome>)>);

impl Table {
    pub(crate) fn note(&mut self, operation: &Operation, outcome: Outcome) {
        let of = (operation.path.clone(), operation.method.clone());
        let row = self.0.entry(of);
        row.or_insert_with(|| (operation.access.clone(), Vec::new()))
            .1
            .push(outcome);
    }

    /// Asserts that the page shows what was seen, or has it do so.
    #[track_caller]
    pub(crate) fn is_what_the_page_shows(&self) {
        let file = root().join(PAGE);
        let page = fs::read_to_string(&file).unwrap();
        let (before, rest) = page
            .split_once(BEGIN)
            .expect("the page has no place for the table");
        let (shown, after) = rest.split_once(END).expect("the table on the page has no end");
        let seen = self.markdown();
        #[expect(
            clippy::disallowed_methods,
            reason = "whoever runs the tests wants the page written"
        )]
        let writes = std::env::var_os(WRITE).is_some();
        if writes {
            fs::write(&file, format!("{before}{BEGIN}{seen}{END}{after}")).unwrap();
        } else {
            assert_eq!(shown, seen, "{PAGE} is out of date: {WRITE}=1 has it written");
        }
    }

    fn markdown(&self) -> String {
        let mut text = String::from("| operation | for |");
        for kind in Kind::ALL {
            write!(text, " {} |", kind.name()).unwrap();
        }
        text.push_str("\n|---|---|");
        text.push_str(&"---|".repeat(Kind::ALL.len()));
        text.push('\n');
        for ((path, method), (access, outcomes)) in &self.0 {
            write!(text, "| `{method} {path}` | `{access}` |").unwrap();
            for outcome in outcomes {
                write!(text, " {} |", outcome.cell()).unwrap();
            }
            text.push('\n');
        }
        text
    }
}

use tenantry_domain::{ParseTenantIdError, TenantId};

/// What both tenants are asked.
pub(super) const QUESTION: &str = "What does it cost to return something late?";

/// The address of the superuser.
pub(super) const SUPERUSER: &str = "admin@tenantry.example";

/// The variable of the superuser's password.
pub(super) const SUPERUSER_PASSWORD: &str = "QUICKSTART_SUPERUSER_PASSWORD";

/// A tenant to show.
#[derive(Debug)]
pub(super) struct Sample {
    id: &'static str,
    /// The name that people read.
    pub(super) name: &'static str,
    /// The instruction that its answers follow.
    pub(super) prompt: &'static str,
    /// Its user's address.
    pub(super) email: &'static str,
    /// The variable of its user's password.
    pub(super) password: &'static str,
    /// Its documents by their names, in Markdown, each with a heading.
    pub(super) documents: [(&'static str, &'static str); 5],
}

impl Sample {
    pub(super) fn id(&self) -> Result<TenantId, ParseTenantIdError> {
        TenantId::parse(self.id)
    }
}

/// The two tenants.
pub(super) static SAMPLES: [Sample; 2] = [
    Sample {
        id: "alpine-bikes",
        name: "Alpine Bikes",
        prompt: "You are the cheerful rental desk of Alpine Bikes. Be brief, name prices in euros, and wish a good ride.",
        email: "rider@alpine-bikes.example",
        password: "QUICKSTART_ALPINE_BIKES_PASSWORD",
        documents: [
            (
                "opening-hours.md",
                include_str!("documents/alpine-bikes/opening-hours.md"),
            ),
            (
                "rental-prices.md",
                include_str!("documents/alpine-bikes/rental-prices.md"),
            ),
            ("returns.md", include_str!("documents/alpine-bikes/returns.md")),
            (
                "damage-and-repairs.md",
                include_str!("documents/alpine-bikes/damage-and-repairs.md"),
            ),
            ("trails.md", include_str!("documents/alpine-bikes/trails.md")),
        ],
    },
    Sample {
        id: "harbour-library",
        name: "Harbour Library",
        prompt: "You are a patient librarian at Harbour Library. Answer in full sentences and say where a rule is written.",
        email: "reader@harbour-library.example",
        password: "QUICKSTART_HARBOUR_LIBRARY_PASSWORD",
        documents: [
            (
                "opening-hours.md",
                include_str!("documents/harbour-library/opening-hours.md"),
            ),
            (
                "membership.md",
                include_str!("documents/harbour-library/membership.md"),
            ),
            ("loans.md", include_str!("documents/harbour-library/loans.md")),
            ("returns.md", include_str!("documents/harbour-library/returns.md")),
            ("rooms.md", include_str!("documents/harbour-library/rooms.md")),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tenant_and_document_can_be_told_apart() {
        let mut titles = Vec::new();
        for sample in &SAMPLES {
            assert!(sample.id().is_ok(), "{}", sample.id);
            titles.extend(
                sample
                    .documents
                    .map(|(_, text)| (sample.id, text.lines().next().unwrap())),
            );
        }
        assert!(titles.iter().all(|(_, title)| title.starts_with("# ")));
        titles.sort_unstable();
        titles.dedup();
        assert_eq!(titles.len(), 10);
    }
}

use tenantry_domain::{PromptVersion, Timestamp, UserId};

use crate::StoreError;

/// The tenant has as many versions as can be counted.
#[derive(Debug, thiserror::Error)]
#[error("the system prompt cannot have another version")]
struct VersionsExhausted;

/// What happens to a tenant's system prompt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PromptChange<'a> {
    /// What it was until now.
    pub(crate) before: Option<&'a str>,
    /// What it is from now on.
    pub(crate) after: Option<&'a str>,
    /// Who changes it.
    pub(crate) author: Option<UserId>,
    /// When.
    pub(crate) at: Timestamp,
}

impl PromptChange<'_> {
    /// The versions to add to a history that ends with `last`: what the prompt was, where no version says so, and what it becomes,
    /// where that is something else.
    pub(crate) fn versions(self, last: Option<&PromptVersion>) -> Result<Vec<PromptVersion>, StoreError> {
        let mut added = Vec::new();
        let mut number = last.map_or(0, |last| last.number);
        let mut text = last.and_then(|last| last.text.as_deref());
        for (next, author) in [(self.before, None), (self.after, self.author)] {
            if next != text {
                number = number
                    .checked_add(1)
                    .ok_or_else(|| StoreError::Failed(VersionsExhausted.into()))?;
                text = next;
                added.push(PromptVersion {
                    number,
                    text: next.map(str::to_owned),
                    author,
                    created_at: self.at,
                });
            }
        }
        Ok(added)
    }
}

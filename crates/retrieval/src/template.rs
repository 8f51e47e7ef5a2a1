//! The variables of a system prompt.

use tenantry_domain::{Email, Tenant, Timestamp};

/// What the variables of a system prompt stand for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variables<'v> {
    /// `{tenant_name}`: the tenant's name.
    pub(crate) tenant: &'v Tenant,
    /// `{user_email}`: the address of who asks; empty for the operator.
    pub(crate) email: Option<&'v Email>,
    /// `{date}`: the day in UTC, as `2026-11-23`.
    pub(crate) now: Timestamp,
}

impl Variables<'_> {
    fn value(&self, name: &str) -> Option<String> {
        match name {
            "tenant_name" => Some(self.tenant.name.clone()),
            "user_email" => Some(self.email.map(ToString::to_string).unwrap_or_default()),
            "date" => Some(self.now.to_offset_date_time().date().to_string()),
            _ => None,
        }
    }
}

/// The prompt with its variables replaced. Other braces stay as they are, and what a variable stands for is never looked at again.
pub(crate) fn render(prompt: &str, variables: Variables<'_>) -> String {
    let mut rendered = String::with_capacity(prompt.len());
    let mut rest = prompt;
    while let Some((before, after)) = rest.split_once('{') {
        rendered.push_str(before);
        let value = after
            .split_once('}')
            .and_then(|(name, after)| Some((variables.value(name)?, after)));
        if let Some((value, after)) = value {
            rendered.push_str(&value);
            rest = after;
        } else {
            rendered.push('{');
            rest = after;
        }
    }
    rendered.push_str(rest);
    rendered
}

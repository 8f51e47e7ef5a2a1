use diesel::prelude::*;
use tenantry_domain::{PromptVersion, TenantId};

use super::{moment, number, parsed};
use crate::StoreError;
use crate::sql::schema::system_prompts;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = system_prompts)]
pub(in crate::sql) struct PromptRow {
    tenant_id: String,
    number: i64,
    author: Option<String>,
    created_at: i64,
    text: Option<String>,
}

impl PromptRow {
    pub(in crate::sql) fn new(tenant: &TenantId, version: &PromptVersion) -> Self {
        Self {
            tenant_id: tenant.to_string(),
            number: version.number.into(),
            author: version.author.map(|author| author.to_string()),
            created_at: version.created_at.unix_micros(),
            text: version.text.clone(),
        }
    }
}

impl TryFrom<PromptRow> for PromptVersion {
    type Error = StoreError;

    fn try_from(row: PromptRow) -> Result<Self, StoreError> {
        let author = row.author.map(|author| parsed("system_prompts", &author));
        Ok(Self {
            number: number("system_prompts", row.number)?,
            text: row.text,
            author: author.transpose()?,
            created_at: moment("system_prompts", row.created_at)?,
        })
    }
}

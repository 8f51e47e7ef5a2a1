use tenantry_domain::{ChatSettings, Tenant};
use tenantry_llm_client::ProviderAddress;

use super::{ChatTuning, SearchTuning, fields};
use crate::InvalidField;

/// A tenant that comes from an archive, held to what is asked of one that a person makes. That its own provider may be called is
/// checked with each call.
pub(crate) fn restored(
    mut tenant: Tenant,
    search: SearchTuning,
    chat: &ChatTuning,
) -> Result<Tenant, InvalidField> {
    tenant.name = fields::name(&tenant.name)?;
    tenant
        .system_prompt
        .as_deref()
        .map(fields::system_prompt)
        .transpose()?;
    let pinecone = &mut tenant.pinecone;
    let of = |text: &Option<String>, parse: fn(&str) -> Result<String, InvalidField>| {
        text.as_deref().map(parse).transpose()
    };
    pinecone.environment = of(&pinecone.environment, fields::environment)?;
    pinecone.index = of(&pinecone.index, fields::index_name)?;
    pinecone.external = pinecone.external.as_ref().map(fields::external).transpose()?;
    tenant.search = fields::search(search)?;
    tenant.chat = chat.of(&ChatSettings::default())?;
    if let Some(provider) = &tenant.llm {
        let address = ProviderAddress::of_tenant(&provider.base_url, None);
        address.map_err(|_| InvalidField::new("llm_base_url", "is no address of a provider"))?;
    }
    Ok(tenant)
}

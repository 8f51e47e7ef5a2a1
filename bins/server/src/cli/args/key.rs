//! What `tenantry key` takes.

use clap::{Args, Subcommand};
use tenantry_domain::{ApiKeyId, Permission, TenantId, Timestamp};

/// What to do with a tenant's API keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key and print it, this once
    #[command(
        after_help = "Example:\n  tenantry key create --tenant acme --name website --scope chat --scope search > key.txt\n\n\
        Standard output is the key and nothing else; what is kept of it is a hash."
    )]
    Create(CreateKey),
    /// List a tenant's keys, live or not, the newest first
    List(OfTenant),
    /// Revoke a key for good
    Revoke(NamedKey),
}

/// A key to make.
#[derive(Debug, Args)]
pub struct CreateKey {
    /// The tenant for which it acts
    #[arg(long, value_name = "ID")]
    pub tenant: TenantId,
    /// Its name for people, 1 to 100 characters
    #[arg(long)]
    pub name: String,
    /// What it may do: chat, search, ingest or admin; once for each
    #[arg(long = "scope", required = true, value_name = "SCOPE")]
    pub scopes: Vec<Permission>,
    /// When it ends, as 2027-01-31T00:00:00Z; without it, never
    #[arg(long, value_name = "MOMENT")]
    pub expires_at: Option<Timestamp>,
}

/// Whose keys are meant.
#[derive(Debug, Args)]
pub struct OfTenant {
    /// The tenant
    #[arg(long, value_name = "ID")]
    pub tenant: TenantId,
}

/// A key by its tenant and id.
#[derive(Debug, Args)]
pub struct NamedKey {
    /// The tenant
    #[arg(long, value_name = "ID")]
    pub tenant: TenantId,
    /// The key's id
    pub id: ApiKeyId,
}

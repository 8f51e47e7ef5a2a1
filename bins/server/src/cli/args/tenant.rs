use std::path::PathBuf;

use clap::Args;
use tenantry_crypto::PublicKey;
use tenantry_domain::TenantId;

/// What to write where.
#[derive(Debug, Args)]
pub struct ExportTenant {
    /// The tenant
    #[arg(long, value_name = "ID")]
    pub tenant: TenantId,
    /// The file to write, which must not be there yet; its owner alone may read it
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// What to make a tenant of.
#[derive(Debug, Args)]
pub struct ImportTenant {
    /// The archive
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The new tenant's id; without it the one in the archive
    #[arg(long = "as", value_name = "ID")]
    pub id: Option<TenantId>,
}

/// What to erase.
#[derive(Debug, Args)]
pub struct EraseTenant {
    /// The tenant
    #[arg(long, value_name = "ID")]
    pub tenant: TenantId,
    /// The id once more, in place of typing it
    #[arg(long, value_name = "ID")]
    pub confirm: Option<String>,
    /// Leave what the tenant has in a Pinecone index of its own, because its key works no more
    #[arg(long)]
    pub leave_pinecone: bool,
}

/// What to verify.
#[derive(Debug, Args)]
pub struct VerifyReceipt {
    /// The receipt, as `tenant erase` printed it
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The public key that it must be signed with, in place of those of this server's settings
    #[arg(long, value_name = "KEY")]
    pub public_key: Option<PublicKey>,
}

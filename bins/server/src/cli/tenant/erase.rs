use std::fs;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::sync::Arc;

use tenantry_crypto::{Ed25519Verifier, PublicKey, ReceiptSigner};
use tenantry_domain::TenantId;
use tenantry_retrieval::{EraseError, EraseParts, ErasePatience, Eraser, Receipt, RemoteVectors, Superuser};
use tenantry_tenant_store::TenantEraseStore;

use super::portable::spinner;
use super::unknown;
use crate::cli::{EraseTenant, Failure, VerifyReceipt, open};
use crate::config::Environment;
use crate::startup::Platform;

/// Far more than an id has.
const MAX_TYPED: u64 = 256;
/// Far more than a receipt has.
const MAX_RECEIPT: u64 = 1 << 20;

/// Erases a tenant, once the caller has typed its id, and prints the receipt.
pub(super) fn erase(platform: &Platform, args: &EraseTenant, out: &mut dyn Write) -> Result<(), Failure> {
    let tenant = &args.tenant;
    let is_there = platform
        .app
        .tenants
        .tenant(&Superuser::operator(), tenant)?
        .is_some();
    if !is_there && platform.store.erased_tenant(tenant)?.is_none() {
        return Err(unknown(tenant));
    }
    if is_there {
        confirm(args)?;
    }
    let parts = EraseParts {
        tenants: platform.store.clone(),
        users: platform.store.clone(),
        jobs: platform.store.clone(),
        store: platform.store.clone(),
        collections: platform.collections.clone(),
        resolver: platform.app.resolver.clone(),
        signer: Arc::new(platform.keys.receipt_signer()),
        clock: platform.clock.clone(),
    };
    let remote = if args.leave_pinecone {
        RemoteVectors::Leave
    } else {
        RemoteVectors::Remove
    };
    let bar = spinner();
    bar.set_message("waiting until nobody uses it any more");
    let erased = Eraser::new(parts, ErasePatience::default()).erase(
        &Superuser::operator(),
        tenant,
        remote,
        &mut |rows| bar.set_message(format!("{rows} rows are gone")),
    );
    bar.finish_and_clear();
    let receipt = erased.map_err(|error| failure(error, tenant))?;
    Ok(writeln!(out, "{}", receipt.to_json())?)
}

fn failure(error: EraseError, tenant: &TenantId) -> Failure {
    let again = format!("`tenantry tenant erase --tenant {tenant}` goes on where this stopped");
    match error {
        EraseError::UnknownTenant => unknown(tenant),
        EraseError::Vectors(_) => Failure::from(error).hint(format!(
            "{again}; `--leave-pinecone` leaves what is in a Pinecone index whose key works no more"
        )),
        EraseError::NotVacuumed(_) => Failure::from(error).hint(format!("{again}, and prints the receipt")),
        error => Failure::from(error).hint(again),
    }
}

/// Refuses unless the caller names the tenant a second time.
fn confirm(args: &EraseTenant) -> Result<(), Failure> {
    let typed = match &args.confirm {
        Some(typed) => typed.clone(),
        None => ask(&args.tenant)?,
    };
    if typed == args.tenant.as_str() {
        return Ok(());
    }
    Err(Failure::new("nothing was erased: the id was not confirmed")
        .hint(format!("type the id, or give `--confirm {}`", args.tenant)))
}

fn ask(tenant: &TenantId) -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        let mut err = io::stderr().lock();
        write!(
            err,
            "Everything of {tenant} will be gone for good. Its id once more: "
        )?;
        err.flush()?;
    }
    let mut line = String::new();
    io::stdin().lock().take(MAX_TYPED).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Tells whether a receipt is one, and whose.
pub(super) fn verify(env: &Environment, args: &VerifyReceipt, out: &mut dyn Write) -> Result<(), Failure> {
    let receipt = Receipt::verify(&read(args)?, &Ed25519Verifier)?;
    let is_known = match args.public_key {
        Some(key) => receipt.public_key == key,
        None => is_ours(&open(env)?, &receipt.public_key),
    };
    told(&receipt, is_known, out)
}

fn is_ours(platform: &Platform, key: &PublicKey) -> bool {
    let mut ours = platform.keys.keys().map(|own| own.receipt_signer().public_key());
    ours.any(|own| own == *key)
}

fn told(receipt: &Receipt, is_known: bool, out: &mut dyn Write) -> Result<(), Failure> {
    if !is_known {
        let message = format!(
            "the receipt is sound, and signed with an unknown key, {}",
            receipt.public_key
        );
        return Err(Failure::new(message).hint(
            "a receipt of an earlier SECRET_KEY is verified with `--public-key` and the key that was noted then",
        ));
    }
    let removed: u64 = receipt.removed.values().sum();
    writeln!(
        out,
        "receipt {}: {} was erased at {} by {}, {removed} records",
        receipt.number, receipt.tenant, receipt.erased_at, receipt.erased_by
    )?;
    Ok(())
}

fn read(args: &VerifyReceipt) -> Result<String, Failure> {
    let failed = |error: io::Error| Failure::new(format!("cannot read {}: {error}", args.file.display()));
    let mut text = String::new();
    let file = fs::File::open(&args.file).map_err(failed)?;
    file.take(MAX_RECEIPT).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

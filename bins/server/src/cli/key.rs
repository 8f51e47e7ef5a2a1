use std::io::Write;

use secrecy::ExposeSecret;
use tenantry_domain::{ApiKey, Page, Permissions, Principal};
use tenantry_retrieval::{KeyRights, NewApiKey, Superuser};

use super::ask::{scope, visible};
use super::{CreateKey, Failure, KeyCommand, NamedKey, OfTenant, open};
use crate::app::App;
use crate::config::Environment;

/// Makes, lists and revokes a tenant's API keys.
pub(super) fn run(env: &Environment, command: &KeyCommand, out: &mut dyn Write) -> Result<(), Failure> {
    let app = open(env)?.app;
    match command {
        KeyCommand::Create(args) => create(&app, args, out),
        KeyCommand::List(of) => list(&app, of, out),
        KeyCommand::Revoke(named) => revoke(&app, named, out),
    }
}

/// Writes the key and nothing else, for whoever reads it into a variable or a file.
fn create(app: &App, args: &CreateKey, out: &mut dyn Write) -> Result<(), Failure> {
    let scope = scope(app, &args.tenant)?;
    let new = NewApiKey {
        name: args.name.clone(),
        permissions: Permissions::of(&args.scopes),
        expires_at: args.expires_at,
    };
    let rights = KeyRights::any(&Superuser::operator(), &scope);
    let issued = app.api_keys.create(&rights, &new)?;
    Ok(writeln!(out, "{}", issued.text.expose_secret())?)
}

fn list(app: &App, of: &OfTenant, out: &mut dyn Write) -> Result<(), Failure> {
    let scope = scope(app, &of.tenant)?;
    let operator = Superuser::operator();
    let rights = KeyRights::any(&operator, &scope);
    let mut page = Page::new(Page::MAX_LIMIT, 0).ok();
    while let Some(current) = page {
        let keys = app.api_keys.list(&rights, current)?;
        for key in &keys.items {
            print(key, out)?;
        }
        let seen = u64::from(current.offset()) + u64::from(current.limit());
        page = current.next().filter(|_| seen < keys.total);
    }
    Ok(())
}

fn print(key: &ApiKey, out: &mut dyn Write) -> Result<(), Failure> {
    let end = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(at)) => format!("until {at}"),
        (None, None) => "no end".to_owned(),
    };
    let used = key
        .used_at
        .map_or("never used".to_owned(), |at| format!("used {at}"));
    let maker = match key.created_by {
        Principal::User(_) | Principal::ApiKey(_) => format!(", by {}", key.created_by),
        Principal::System | Principal::Operator | Principal::Anonymous => String::new(),
    };
    writeln!(
        out,
        "{}  {}  [{}]  {end}, {used}, made {}{maker}  {}",
        key.id,
        key.prefix,
        key.permissions,
        key.created_at,
        visible(&key.name)
    )?;
    Ok(())
}

fn revoke(app: &App, named: &NamedKey, out: &mut dyn Write) -> Result<(), Failure> {
    let scope = scope(app, &named.tenant)?;
    let rights = KeyRights::any(&Superuser::operator(), &scope);
    let revoked = app.api_keys.revoke(&rights, named.id)?;
    let key = revoked.ok_or_else(|| {
        Failure::new(format!("tenant {} has no key {}", named.tenant, named.id))
            .hint("`tenantry key list` shows a tenant's keys")
    })?;
    Ok(writeln!(out, "the key {} ({}) is revoked", key.id, key.prefix)?)
}

mod erase;
mod portable;

use std::fs;
use std::io::Write;

use tenantry_domain::{ChatSettings, Page, Tenant, TenantId, TenantScope};
use tenantry_retrieval::{NewTenant, PineconeCheck, PineconeState, SaveTenantError, Superuser};
use tenantry_tenant_store::StoreError;

use super::ask::scope;
use super::input::secret;
use super::{CreateTenant, Failure, TenantCommand, field, open};
use crate::app::App;
use crate::config::{Environment, variables};

/// Makes, shows or deactivates tenants.
pub(super) fn run(env: &Environment, command: TenantCommand, out: &mut dyn Write) -> Result<(), Failure> {
    if let TenantCommand::VerifyReceipt(args) = &command {
        return erase::verify(env, args, out);
    }
    let platform = open(env)?;
    let app = &platform.app;
    match command {
        TenantCommand::Export(args) => portable::export(&platform, &args, out),
        TenantCommand::Import(args) => portable::import(&platform, &args, out),
        TenantCommand::Erase(args) => erase::erase(&platform, &args, out),
        TenantCommand::VerifyReceipt(_) => Ok(()),
        TenantCommand::List => list(app, out),
        TenantCommand::Create(args) => create(app, env, *args, out),
        TenantCommand::Show(named) => {
            let tenant = app.tenants.tenant(&Superuser::operator(), &named.id)?;
            show(&tenant.ok_or_else(|| unknown(&named.id))?, out)
        }
        TenantCommand::Deactivate(named) => {
            let tenant = app.tenants.deactivate(&Superuser::operator(), &named.id)?;
            tenant.ok_or_else(|| unknown(&named.id))?;
            Ok(writeln!(out, "tenant {} is not active any more", named.id)?)
        }
    }
}

fn list(app: &App, out: &mut dyn Write) -> Result<(), Failure> {
    every(app, |tenant| {
        let state = if tenant.is_active { "active" } else { "inactive" };
        Ok(writeln!(
            out,
            "{:<24} {state:<9} {}",
            tenant.id.as_str(),
            tenant.name
        )?)
    })
}

/// Visits every tenant, by id, active or not.
pub(super) fn every(app: &App, mut visit: impl FnMut(&Tenant) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut page = Page::new(Page::MAX_LIMIT, 0).ok();
    while let Some(current) = page {
        let tenants = app.tenants.tenants(&Superuser::operator(), current)?;
        tenants.items.iter().try_for_each(&mut visit)?;
        let seen = u64::from(current.offset()) + u64::from(current.limit());
        page = current.next().filter(|_| seen < tenants.total);
    }
    Ok(())
}

/// The scopes of the active tenants whose documents are kept here.
pub(super) fn own_scopes(app: &App) -> Result<Vec<TenantScope>, Failure> {
    let mut scopes = Vec::new();
    every(app, |tenant| {
        if tenant.is_active && tenant.pinecone.external.is_none() {
            scopes.push(scope(app, &tenant.id)?);
        }
        Ok(())
    })?;
    Ok(scopes)
}

fn create(app: &App, env: &Environment, args: CreateTenant, out: &mut dyn Write) -> Result<(), Failure> {
    let system_prompt = match &args.system_prompt_file {
        Some(path) => Some(
            fs::read_to_string(path)
                .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?,
        ),
        None => args.system_prompt,
    };
    let pinecone_api_key = if args.with_pinecone_key {
        Some(secret(
            env,
            &variables::TENANTRY_PINECONE_API_KEY,
            "Pinecone API key",
        )?)
    } else {
        None
    };
    let new = NewTenant {
        pinecone_environment: args.pinecone_environment,
        pinecone_index: args.pinecone_index,
        pinecone_api_key,
        system_prompt,
        ..NewTenant::named(args.id, &args.name)
    };
    let saved = app
        .tenants
        .create(&Superuser::operator(), new)
        .map_err(|error| match error {
            SaveTenantError::Store(StoreError::IdTaken) => Failure::from(error)
                .hint("ids are never used again, not even those of tenants that are not active"),
            error => error.into(),
        })?;
    writeln!(out, "created tenant {}", saved.tenant.id)?;
    match &saved.check {
        Some(check) => tell_check(check, out),
        None => Ok(()),
    }
}

fn tell_check(check: &PineconeCheck, out: &mut dyn Write) -> Result<(), Failure> {
    match check {
        PineconeCheck::Verified { index, warning, .. } => {
            writeln!(out, "its Pinecone index {index} was checked")?;
            if let Some(warning) = warning {
                writeln!(out, "warning: {warning}")?;
            }
        }
        PineconeCheck::Pending { reason } => {
            writeln!(
                out,
                "its Pinecone settings are checked at the first use: {reason}"
            )?;
        }
    }
    Ok(())
}

fn show(tenant: &Tenant, out: &mut dyn Write) -> Result<(), Failure> {
    let pinecone = &tenant.pinecone;
    field(out, "id", &tenant.id)?;
    field(out, "name", &tenant.name)?;
    field(out, "active", if tenant.is_active { "yes" } else { "no" })?;
    field(
        out,
        "system prompt",
        tenant.system_prompt.as_deref().unwrap_or("none"),
    )?;
    let state = match PineconeState::of(pinecone) {
        PineconeState::NotConfigured => "not configured",
        PineconeState::Verified => "checked",
        PineconeState::Pending => "to be checked at the first use",
    };
    field(out, "Pinecone", state)?;
    if let Some(key) = &pinecone.api_key {
        field(out, "Pinecone key", format_args!("ends with {}", key.last_four))?;
    }
    for (name, value) in [
        ("Pinecone index", &pinecone.index),
        ("Pinecone host", &pinecone.host),
        ("Pinecone environment", &pinecone.environment),
    ] {
        if let Some(value) = value {
            field(out, name, value)?;
        }
    }
    show_chat(&tenant.chat, out)?;
    if let Some(provider) = &tenant.llm {
        field(out, "own provider", &provider.base_url)?;
        let key = match &provider.api_key {
            Some(key) => format!("ends with {}", key.last_four),
            None => "none".to_owned(),
        };
        field(out, "own provider's key", key)?;
    }
    field(out, "created", tenant.created_at)?;
    Ok(field(out, "updated", tenant.updated_at)?)
}

/// What differs from the server's defaults of how questions are answered.
fn show_chat(chat: &ChatSettings, out: &mut dyn Write) -> Result<(), Failure> {
    let usual = ChatSettings::default();
    let hosts: Vec<String> = chat.allowed_hosts.iter().map(ToString::to_string).collect();
    let without_support = differs(chat.without_support.as_str(), usual.without_support.as_str());
    let follow_ups = differs(chat.follow_ups.as_str(), usual.follow_ups.as_str());
    let on_leave = differs(chat.on_leave.as_str(), usual.on_leave.as_str());
    let instructions = differs(
        chat.client_instructions.as_str(),
        usual.client_instructions.as_str(),
    );
    let server_provider = chat.server_provider.then(|| "may answer too".to_owned());
    let said = [
        ("chat models", listed(&chat.models)),
        ("temperature", said(chat.temperature)),
        ("answer tokens", said(chat.max_answer_tokens)),
        ("passages", said(chat.passages)),
        ("language", chat.language.clone()),
        ("without support", without_support),
        ("unsupported text", chat.unsupported_text.clone()),
        ("follow-ups", follow_ups),
        ("history tokens", said(chat.history_tokens)),
        ("on leave", on_leave),
        ("client instructions", instructions),
        ("allowed hosts", listed(&hosts)),
        ("embedding model", chat.embedding_model.clone()),
        ("server's provider", server_provider),
        ("streams per user", said(chat.streams_per_user)),
        ("streams per tenant", said(chat.streams_per_tenant)),
    ];
    for (name, value) in said {
        if let Some(value) = value {
            field(out, name, value)?;
        }
    }
    Ok(())
}

fn said(value: Option<impl ToString>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn listed(values: &[String]) -> Option<String> {
    (!values.is_empty()).then(|| values.join(", "))
}

fn differs(value: &str, usual: &str) -> Option<String> {
    (value != usual).then(|| value.to_owned())
}

fn unknown(id: &TenantId) -> Failure {
    Failure::new(format!("there is no tenant {id}")).hint("`tenantry tenant list` shows the tenants")
}

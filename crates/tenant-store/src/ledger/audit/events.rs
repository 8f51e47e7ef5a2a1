use std::fmt;

use tenantry_domain::{AuditAction, AuditEvent, ChatSettings, Job, LlmProvider, SealedSecret, Tenant, User};

use crate::{AuditLog, SubmitOutcome, Submitted, UserChange};

/// Events with the log that each belongs to, in their order.
pub(crate) type Events = Vec<(AuditLog, AuditEvent)>;

/// A tenant was made, of whose prompt that is the first version.
pub(crate) fn tenant_created(tenant: &Tenant) -> Events {
    let created = AuditEvent::new(AuditAction::TenantCreated)
        .on("tenant", &tenant.id)
        .with("is_active", tenant.is_active);
    let secrets = [PINECONE_KEY, LLM_KEY].map(|(name, of)| credential(name, None, of(tenant)));
    let prompt = tenant
        .system_prompt
        .is_some()
        .then(|| prompt_changed(tenant, Some(1)));
    in_log_of(
        tenant,
        std::iter::once(created)
            .chain(secrets.into_iter().flatten())
            .chain(prompt),
    )
}

/// A tenant was changed, which made `version` of its prompt where one was made.
pub(crate) fn tenant_changed(before: &Tenant, after: &Tenant, version: Option<u32>) -> Events {
    let switched = (before.is_active != after.is_active).then(|| {
        AuditEvent::new(AuditAction::TenantSwitched)
            .on("tenant", &after.id)
            .with("is_active", step(before.is_active, after.is_active))
    });
    let secrets = [PINECONE_KEY, LLM_KEY].map(|(name, of)| credential(name, of(before), of(after)));
    let settings = settings_changed(before, after);
    let prompt = (before.system_prompt != after.system_prompt).then(|| prompt_changed(after, version));
    let all = switched
        .into_iter()
        .chain(secrets.into_iter().flatten())
        .chain(settings)
        .chain(prompt);
    in_log_of(after, all)
}

/// Chat settings that a later version wrote were replaced: which of them are others now cannot be told.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) fn chat_replaced(tenant: &Tenant) -> Events {
    let event = AuditEvent::new(AuditAction::SettingsChanged).on("tenant", &tenant.id);
    in_log_of(tenant, [event.with("fields", "chat")])
}

/// A user was made.
pub(crate) fn user_created(user: &User) -> Events {
    let created = AuditEvent::new(AuditAction::UserCreated)
        .on("user", user.id)
        .with("is_active", user.is_active)
        .with("is_superuser", user.is_superuser)
        .with("role", user.role);
    vec![(AuditLog::of(user.tenant.as_ref()), created)]
}

/// A user was changed: the account in the log of its tenant, of both in their order when the tenant changed, and the password and
/// the sessions where it is now.
pub(crate) fn user_changed(before: &User, after: &User, change: &UserChange) -> Events {
    let mut events = moved(before, after);
    if before.tenant == after.tenant {
        events.extend(account_changed(before, after));
    }
    let on = |action| AuditEvent::new(action).on("user", after.id);
    let password = (before.password_hash != after.password_hash).then(|| on(AuditAction::PasswordChanged));
    let sessions = change.end_sessions.then(|| on(AuditAction::SessionsEnded));
    let log = AuditLog::of(after.tenant.as_ref());
    events.extend(
        password
            .into_iter()
            .chain(sessions)
            .map(|event| (log.clone(), event)),
    );
    events
}

/// What a tenant's admins may see of a user who comes or goes: not where from or where to, nor what the user was there.
fn moved(before: &User, after: &User) -> Events {
    if before.tenant == after.tenant {
        return Vec::new();
    }
    let mut events: Events = [(before, "left"), (after, "joined")]
        .into_iter()
        .map(|(user, how)| {
            let event = AuditEvent::new(AuditAction::UserChanged)
                .on("user", user.id)
                .with("tenant", how)
                .with("is_active", user.is_active)
                .with("is_superuser", user.is_superuser)
                .with("role", user.role);
            (AuditLog::of(user.tenant.as_ref()), event)
        })
        .collect();
    events.sort_by(|(one, _), (other, _)| one.cmp(other));
    events
}

fn account_changed(before: &User, after: &User) -> Option<(AuditLog, AuditEvent)> {
    let changes = [
        ("role", before.role != after.role, step(before.role, after.role)),
        (
            "is_active",
            before.is_active != after.is_active,
            step(before.is_active, after.is_active),
        ),
        (
            "is_superuser",
            before.is_superuser != after.is_superuser,
            step(before.is_superuser, after.is_superuser),
        ),
    ];
    let event = changes.into_iter().filter(|(_, is_changed, _)| *is_changed).fold(
        AuditEvent::new(AuditAction::UserChanged).on("user", after.id),
        |event, (name, _, how)| event.with(name, how),
    );
    (!event.details.is_empty()).then(|| (AuditLog::of(after.tenant.as_ref()), event))
}

/// A file was handed in; `None` when it was known already, which changes nothing.
pub(crate) fn submitted(submitted: &Submitted) -> Option<AuditEvent> {
    let outcome = match submitted.outcome {
        SubmitOutcome::New => "new",
        SubmitOutcome::Replacement => "replacement",
        SubmitOutcome::Unchanged => return None,
    };
    let event = on_document(AuditAction::DocumentSubmitted, &submitted.job);
    Some(event.with("outcome", outcome))
}

/// A document is to be removed.
pub(crate) fn removed(removal: &Job) -> AuditEvent {
    on_document(AuditAction::DocumentRemoved, removal)
}

/// The end of a job was asked for.
pub(crate) fn cancelled(job: &Job) -> AuditEvent {
    AuditEvent::new(AuditAction::JobCancelled)
        .on("job", job.id)
        .with("document", job.document)
}

fn on_document(action: AuditAction, job: &Job) -> AuditEvent {
    AuditEvent::new(action)
        .on("document", job.document)
        .with("job", job.id)
}

fn in_log_of(tenant: &Tenant, events: impl IntoIterator<Item = AuditEvent>) -> Events {
    let log = AuditLog::Tenant(tenant.id.clone());
    events.into_iter().map(|event| (log.clone(), event)).collect()
}

type Secret = (&'static str, fn(&Tenant) -> Option<&SealedSecret>);

const PINECONE_KEY: Secret = ("pinecone_api_key", |tenant| tenant.pinecone.api_key.as_ref());
const LLM_KEY: Secret = ("llm_api_key", |tenant| llm_key(tenant.llm.as_ref()));

fn llm_key(provider: Option<&LlmProvider>) -> Option<&SealedSecret> {
    provider.and_then(|provider| provider.api_key.as_ref())
}

/// What became of a credential, where anything did.
fn credential(
    name: &'static str,
    before: Option<&SealedSecret>,
    after: Option<&SealedSecret>,
) -> Option<AuditEvent> {
    let change = match (before, after) {
        (None, Some(_)) => "set",
        (Some(_), None) => "cleared",
        (Some(before), Some(after)) if before != after => "replaced",
        _ => return None,
    };
    let event = AuditEvent::new(AuditAction::CredentialChanged).on("credential", name);
    Some(event.with("change", change))
}

fn prompt_changed(tenant: &Tenant, version: Option<u32>) -> AuditEvent {
    let event = AuditEvent::new(AuditAction::PromptChanged).on("tenant", &tenant.id);
    match version {
        Some(version) => event.with("version", version),
        None => event,
    }
}

/// The names of the settings that are others than before, never what they are.
fn settings_changed(before: &Tenant, after: &Tenant) -> Option<AuditEvent> {
    let [old, new] = [before, after].map(|tenant| &tenant.pinecone);
    let of_tenant = [
        ("name", before.name != after.name),
        ("pinecone_environment", old.environment != new.environment),
        ("pinecone_index", old.index != new.index),
        ("pinecone_host", old.host != new.host),
        ("pinecone_external", old.external != new.external),
        ("search.fusion", before.search.fusion != after.search.fusion),
        (
            "search.min_score",
            before.search.min_score != after.search.min_score,
        ),
        ("llm.base_url", base_url(before) != base_url(after)),
        ("ingesters", before.ingesters != after.ingesters),
    ];
    let names: Vec<_> = of_tenant
        .into_iter()
        .chain(chat_settings(&before.chat, &after.chat))
        .filter_map(|(name, is_changed)| is_changed.then_some(name))
        .collect();
    if names.is_empty() {
        return None;
    }
    let event = AuditEvent::new(AuditAction::SettingsChanged).on("tenant", &after.id);
    Some(event.with("fields", names.join(" ")))
}

fn base_url(tenant: &Tenant) -> Option<&str> {
    tenant.llm.as_ref().map(|provider| provider.base_url.as_str())
}

/// Taken apart, so that a setting that is added cannot be forgotten here.
fn chat_settings(before: &ChatSettings, after: &ChatSettings) -> [(&'static str, bool); 16] {
    let ChatSettings {
        models,
        temperature,
        max_answer_tokens,
        passages,
        language,
        without_support,
        unsupported_text,
        follow_ups,
        history_tokens,
        on_leave,
        client_instructions,
        allowed_hosts,
        embedding_model,
        server_provider,
        streams_per_user,
        streams_per_tenant,
    } = before;
    [
        ("chat.models", *models != after.models),
        ("chat.temperature", *temperature != after.temperature),
        (
            "chat.max_answer_tokens",
            *max_answer_tokens != after.max_answer_tokens,
        ),
        ("chat.passages", *passages != after.passages),
        ("chat.language", *language != after.language),
        ("chat.without_support", *without_support != after.without_support),
        (
            "chat.unsupported_text",
            *unsupported_text != after.unsupported_text,
        ),
        ("chat.follow_ups", *follow_ups != after.follow_ups),
        ("chat.history_tokens", *history_tokens != after.history_tokens),
        ("chat.on_leave", *on_leave != after.on_leave),
        (
            "chat.client_instructions",
            *client_instructions != after.client_instructions,
        ),
        ("chat.allowed_hosts", *allowed_hosts != after.allowed_hosts),
        ("chat.embedding_model", *embedding_model != after.embedding_model),
        ("chat.server_provider", *server_provider != after.server_provider),
        (
            "chat.streams_per_user",
            *streams_per_user != after.streams_per_user,
        ),
        (
            "chat.streams_per_tenant",
            *streams_per_tenant != after.streams_per_tenant,
        ),
    ]
}

fn step<T: fmt::Display>(before: T, after: T) -> String {
    format!("{before} to {after}")
}

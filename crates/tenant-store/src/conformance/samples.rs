#![expect(clippy::unwrap_used, reason = "the samples are well formed")]

use std::sync::Arc;

use tenantry_domain::{
    Actor, AllowedHosts, ChatSettings, ClaimMapping, ClientInstructions, Email, ExternalIndex, FollowUps,
    Fusion, IdentityProvider, IdentityProviderId, Ingesters, LlmProvider, OnLeave, PasswordHash,
    PineconeSettings, Role, Sealed, SealedSecret, SearchSettings, Tenant, TenantId, TenantScope, Timestamp,
    User, UserId, WithoutSupport,
};

use crate::TenantStore;

/// A moment with microseconds, `seconds` after 2026-11-23T07:29:00Z.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_micros(1_795_418_940_123_456 + seconds * 1_000_000).unwrap()
}

pub(super) fn tenant_id(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}

/// A tenant with no more than it must have.
pub(crate) fn tenant(id: &str) -> Tenant {
    Tenant {
        id: tenant_id(id),
        name: id.to_uppercase(),
        pinecone: PineconeSettings::default(),
        system_prompt: None,
        search: SearchSettings::default(),
        chat: ChatSettings::default(),
        llm: None,
        ingesters: Ingesters::default(),
        is_active: true,
        created_at: at(0),
        updated_at: at(1),
    }
}

/// A tenant with every value set.
pub(super) fn full_tenant(id: &str) -> Tenant {
    Tenant {
        pinecone: PineconeSettings {
            environment: Some("us-east-1-aws".into()),
            index: Some("passages".into()),
            host: Some("passages-1.svc.pinecone.io".into()),
            api_key: Some(secret("v1.00112233aabbccdd.c2VhbGVk", "wxyz")),
            external: Some(ExternalIndex {
                namespace: String::new(),
                text_field: "body".into(),
            }),
        },
        search: SearchSettings {
            fusion: Fusion::new(60.0, 0.7, 1.3).unwrap(),
            min_score: Some(0.1),
        },
        chat: full_chat(),
        llm: Some(LlmProvider {
            base_url: "https://llm.example.org/v1".into(),
            api_key: Some(secret("v1.00112233aabbccdd.bGxt", "4321")),
        }),
        system_prompt: Some("Answer in Ænglisc, \"quoted\"; 'twice'.\n\u{1F989}".into()),
        ..tenant(id)
    }
}

/// Chat settings none of which is as by default.
pub(super) fn full_chat() -> ChatSettings {
    let hosts = ["example.org", "*.example.net"].map(|host| host.parse().unwrap());
    ChatSettings {
        models: vec!["gpt-5".into(), "a \"model\"; 'x' \u{1F989}".into()],
        temperature: Some(0.7),
        max_answer_tokens: Some(u32::MAX),
        passages: Some(ChatSettings::MAX_PASSAGES),
        language: Some("Ænglisc".into()),
        without_support: WithoutSupport::Answer,
        unsupported_text: Some("Nothing was found.\n\u{1}".into()),
        follow_ups: FollowUps::AsAsked,
        history_tokens: Some(0),
        on_leave: OnLeave::Finish,
        client_instructions: ClientInstructions::Refuse,
        allowed_hosts: AllowedHosts::new(hosts.into()),
        embedding_model: Some("text-embedding-3-large".into()),
        server_provider: true,
        streams_per_user: Some(1),
        streams_per_tenant: Some(2),
    }
}

pub(super) fn secret(sealed: &str, last_four: &str) -> SealedSecret {
    SealedSecret {
        sealed: Sealed::from_stored(sealed.into()),
        last_four: last_four.into(),
    }
}

/// A user without tenant, hash or rights.
pub(crate) fn user(email: &str) -> User {
    User {
        id: UserId::generate(at(0)),
        email: Email::parse(email).unwrap(),
        password_hash: None,
        is_superuser: false,
        is_active: true,
        tenant: None,
        role: Role::default(),
        token_version: 0,
        created_at: at(2),
        updated_at: at(3),
    }
}

/// A user of `tenant` with every value set.
pub(super) fn full_user(email: &str, tenant: &str) -> User {
    User {
        password_hash: Some(PasswordHash::from_stored(
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".into(),
        )),
        is_superuser: true,
        is_active: false,
        tenant: Some(tenant_id(tenant)),
        role: Role::Admin,
        token_version: 7,
        ..user(email)
    }
}

/// A provider of that issuer that makes users, with no more than it must have.
pub(super) fn provider(issuer: &str) -> IdentityProvider {
    IdentityProvider {
        id: IdentityProviderId::generate(at(0)),
        name: "Example".into(),
        issuer: issuer.into(),
        audience: "A".into(),
        claims: ClaimMapping::default(),
        creates_users: true,
        is_active: true,
        created_at: at(2),
        updated_at: at(3),
    }
}

/// A provider none of whose values is as by default.
pub(super) fn full_provider(issuer: &str) -> IdentityProvider {
    IdentityProvider {
        name: "Ænglisc \"IdP\"; 'x' \u{1F989}".into(),
        audience: "api://full".into(),
        claims: ClaimMapping {
            email: "https://example.org/mail".into(),
            tenant: Some(("tid".into(), String::new())),
            role: Some("groups".into()),
            roles: [("Ops \"1\"".into(), Role::Admin), (String::new(), Role::Reader)].into(),
            default_role: Role::Reader,
        },
        creates_users: false,
        is_active: false,
        ..provider(issuer)
    }
}

/// Stores an active tenant of that id and opens its scope.
pub(super) fn scope<S: TenantStore>(store: &S, id: &str) -> TenantScope {
    store.create_tenant(&tenant(id), &Actor::system()).unwrap();
    foreign_scope(id)
}

/// The scope of a tenant that no store was told of.
pub(super) fn foreign_scope(id: &str) -> TenantScope {
    Arc::new(tenant(id)).activate(Actor::system()).unwrap()
}

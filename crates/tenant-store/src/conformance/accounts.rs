//! Users with sessions, for the obligations that need some.
#![expect(clippy::unwrap_used, reason = "an obligation panics where the store fails it")]

use std::net::IpAddr;

use tenantry_domain::{
    Actor, LoginMethod, PasswordHash, Principal, RequestOrigin, Session, SessionId, TokenHash, User, UserId,
};

use super::samples::{at, tenant, tenant_id, user};
use crate::{NewSession, Refreshed, SessionStore, TenantStore, UserStore};

/// Every trait of a store of users who log in, on the same records.
pub trait AccountStore: TenantStore + UserStore + SessionStore {}

impl<S: TenantStore + UserStore + SessionStore> AccountStore for S {}

/// When the sessions of these users end, in seconds.
pub(crate) const END: i64 = 10_000;

/// A request of that user.
pub(crate) fn by(user: UserId) -> Actor {
    Actor {
        principal: Principal::User(user),
        origin: RequestOrigin {
            request: Some("0199f1de-0000-7000-8000-000000000001".into()),
            address: Some(IpAddr::from([192, 0, 2, 7])),
        },
    }
}

pub(crate) fn token(number: u32) -> TokenHash {
    let mut bytes = [7; 32];
    for (place, byte) in bytes.iter_mut().zip(number.to_be_bytes()) {
        *place = byte;
    }
    TokenHash::from_bytes(bytes)
}

pub(crate) fn hash(text: &str) -> PasswordHash {
    PasswordHash::from_stored(format!("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA${text}"))
}

/// Stores an active tenant of that id, and its active user of that address.
pub(crate) fn member<S: AccountStore>(store: &S, email: &str, of: &str) -> User {
    if store.tenant(&tenant_id(of)).unwrap().is_none() {
        store.create_tenant(&tenant(of), &Actor::system()).unwrap();
    }
    let member = User {
        password_hash: Some(hash("first")),
        tenant: Some(tenant_id(of)),
        ..user(email)
    };
    store.create_user(&member, &Actor::system()).unwrap();
    member
}

/// A log-in of the user at that second, whose refresh token has that number.
pub(crate) fn login(user: &User, seconds: i64, refresh: u32) -> NewSession {
    NewSession {
        session: Session {
            id: SessionId::generate(at(seconds)),
            user: user.id,
            method: LoginMethod::Password,
            client: None,
            address: None,
            created_at: at(seconds),
            used_at: at(seconds),
            expires_at: at(END),
        },
        refresh: token(refresh),
        token_version: user.token_version,
        rehash: None,
    }
}

/// Begins such a session.
pub(crate) fn begun<S: AccountStore>(store: &S, user: &User, seconds: i64, refresh: u32) -> Session {
    let new = login(user, seconds, refresh);
    assert!(store.begin_session(&new, &by(user.id)).unwrap());
    new.session
}

pub(crate) fn refreshed<S: AccountStore>(store: &S, presented: u32, next: u32, seconds: i64) -> Refreshed {
    let anonymous = Actor::of(Principal::Anonymous);
    store
        .refresh_session(token(presented), token(next), &anonymous, at(seconds))
        .unwrap()
}

/// The ids of the user's live sessions at that second, in the order of the list.
pub(crate) fn live<S: AccountStore>(store: &S, user: UserId, seconds: i64) -> Vec<SessionId> {
    let sessions = store.sessions(user, at(seconds)).unwrap();
    sessions.iter().map(|session| session.id).collect()
}

/// Whether a request with a token of the session is let in at that second.
pub(crate) fn is_live<S: AccountStore>(store: &S, user: UserId, session: SessionId, seconds: i64) -> bool {
    let access = store.access(user, Some(session), at(seconds)).unwrap();
    access.unwrap().session_is_live
}

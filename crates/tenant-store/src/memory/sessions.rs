use std::cmp::Reverse;
use std::collections::BTreeMap;

use tenantry_domain::{Actor, PasswordHash, Session, SessionId, Timestamp, TokenHash, User, UserId};

use super::{MemoryStore, Records};
use crate::ledger::sessions::{
    KeptSession, Verdict, begun, ended, refreshed, reset, reset_issued, reused, verdict,
};
use crate::ledger::users::changed;
use crate::text::{Texts, refuse_nul};
use crate::{MAX_SESSIONS, NewSession, Refreshed, SessionStore, StoreError, UserChange};

/// Every session, and what else can be done without a password.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    kept: BTreeMap<SessionId, KeptSession>,
    tokens: BTreeMap<TokenHash, RefreshToken>,
    resets: BTreeMap<UserId, Reset>,
    /// When all of a user's were last ended.
    ended_at: BTreeMap<UserId, Timestamp>,
}

#[derive(Debug)]
struct RefreshToken {
    session: SessionId,
    is_used: bool,
}

#[derive(Debug)]
struct Reset {
    secret: TokenHash,
    expires_at: Timestamp,
}

impl Sessions {
    /// Ends every session of the user, and the link to set the password.
    pub(super) fn end_all(&mut self, user: UserId, now: Timestamp) {
        self.resets.remove(&user);
        self.ended_at.insert(user, now);
        self.retain(|kept| kept.session.user != user);
    }

    /// Forgets what is known of a user who is gone.
    pub(super) fn forget(&mut self, user: UserId) {
        self.resets.remove(&user);
        self.ended_at.remove(&user);
        self.retain(|kept| kept.session.user != user);
    }

    pub(super) fn ended_at(&self, user: UserId) -> Option<Timestamp> {
        self.ended_at.get(&user).copied()
    }

    pub(super) fn is_live(&self, id: SessionId, user: &User, now: Timestamp) -> bool {
        self.kept.get(&id).is_some_and(|kept| kept.is_live(user, now))
    }

    /// The user's live sessions, the most recently used first.
    fn of(&self, user: &User, now: Timestamp) -> Vec<&Session> {
        let live = self.kept.values().filter(|kept| kept.is_live(user, now));
        let mut live: Vec<_> = live.map(|kept| &kept.session).collect();
        live.sort_by_key(|session| Reverse((session.used_at, session.id)));
        live
    }

    /// Begins a session, and gives those that there was no room for.
    fn begin(&mut self, new: &NewSession, user: &User) -> Result<Vec<SessionId>, StoreError> {
        let session = &new.session;
        if self.kept.contains_key(&session.id) {
            return Err(StoreError::IdTaken);
        }
        self.refuse_taken(new.refresh)?;
        let now = session.created_at;
        self.retain(|kept| {
            let is_the_users = kept.session.user == user.id;
            kept.session.expires_at > now && (!is_the_users || kept.is_live(user, now))
        });
        let live = self.of(user, now).into_iter();
        let ids = live.map(|session| session.id);
        let crowded_out: Vec<_> = ids.skip(MAX_SESSIONS - 1).collect();
        self.retain(|kept| !crowded_out.contains(&kept.session.id));
        let kept = KeptSession {
            session: session.clone(),
            token_version: user.token_version,
        };
        self.kept.insert(session.id, kept);
        self.add_token(new.refresh, session.id);
        Ok(crowded_out)
    }

    fn end(&mut self, id: SessionId) {
        self.retain(|kept| kept.session.id != id);
    }

    fn retain(&mut self, is_kept: impl Fn(&KeptSession) -> bool) {
        self.kept.retain(|_, kept| is_kept(kept));
        self.tokens
            .retain(|_, token| self.kept.contains_key(&token.session));
    }

    fn refuse_taken(&self, refresh: TokenHash) -> Result<(), StoreError> {
        if self.tokens.contains_key(&refresh) {
            return Err(StoreError::IdTaken);
        }
        Ok(())
    }

    fn add_token(&mut self, refresh: TokenHash, session: SessionId) {
        let token = RefreshToken {
            session,
            is_used: false,
        };
        self.tokens.insert(refresh, token);
    }

    fn rotate(
        &mut self,
        presented: TokenHash,
        next: TokenHash,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        self.refuse_taken(next)?;
        let Some(token) = self.tokens.get_mut(&presented) else {
            return Ok(None);
        };
        let Some(kept) = self.kept.get_mut(&token.session) else {
            return Ok(None);
        };
        token.is_used = true;
        kept.session.used_at = now;
        let session = kept.session.clone();
        self.add_token(next, session.id);
        Ok(Some(session))
    }

    /// Whose password may be set with the secret.
    fn reset(&self, secret: TokenHash, now: Timestamp) -> Option<UserId> {
        let mut works = self.resets.iter();
        let found = works.find(|(_, reset)| reset.secret == secret && reset.expires_at > now)?;
        Some(*found.0)
    }
}

impl SessionStore for MemoryStore {
    fn begin_session(&self, new: &NewSession, actor: &Actor) -> Result<bool, StoreError> {
        new.refuse_nul()?;
        let mut records = self.records();
        let Records { users, sessions, .. } = &mut *records;
        let Some(user) = users
            .get_mut(&new.session.user)
            .filter(|user| user.is_active && user.token_version == new.token_version)
        else {
            return Ok(false);
        };
        let crowded_out = sessions.begin(new, user)?;
        let events = begun(user, &new.session, &crowded_out);
        if let Some((newer, older)) = &new.rehash
            && user.password_hash.as_ref() == Some(older)
        {
            user.password_hash = Some(newer.clone());
        }
        records.append_audit(&events, actor, new.session.created_at);
        Ok(true)
    }

    fn refresh_session(
        &self,
        presented: TokenHash,
        next: TokenHash,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Refreshed, StoreError> {
        let mut records = self.records();
        let Some((kept, is_used, user)) = records.presented(presented) else {
            return Ok(Refreshed::Refused);
        };
        let tenant = user.tenant.as_ref().and_then(|id| records.tenants.get(id));
        match verdict(&kept, is_used, &user, tenant, now) {
            Verdict::Refuse => Ok(Refreshed::Refused),
            Verdict::End => {
                records.sessions.end(kept.session.id);
                records.append_audit(&reused(&user, kept.session.id), actor, now);
                Ok(Refreshed::Reused)
            }
            Verdict::Rotate => {
                let Some(session) = records.sessions.rotate(presented, next, now)? else {
                    return Ok(Refreshed::Refused);
                };
                let (events, actor) = refreshed(&user, session.id, actor);
                records.append_audit(&events, &actor, now);
                Ok(Refreshed::Rotated {
                    session,
                    user: Box::new(user),
                })
            }
        }
    }

    fn sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let records = self.records();
        let user = records.users.get(&user);
        Ok(user.map_or_else(Vec::new, |user| {
            records.sessions.of(user, now).into_iter().cloned().collect()
        }))
    }

    fn end_session(
        &self,
        user: UserId,
        id: SessionId,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut records = self.records();
        let Records { users, sessions, .. } = &mut *records;
        let Some(user) = users.get(&user).filter(|user| sessions.is_live(id, user, now)) else {
            return Ok(false);
        };
        sessions.end(id);
        let events = ended(user, id);
        records.append_audit(&events, actor, now);
        Ok(true)
    }

    fn issue_reset(
        &self,
        user: UserId,
        secret: TokenHash,
        expires_at: Timestamp,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut records = self.records();
        let Some(events) = records
            .users
            .get(&user)
            .map(|user| reset_issued(user, expires_at))
        else {
            return Ok(false);
        };
        let resets = &mut records.sessions.resets;
        if resets
            .iter()
            .any(|(of, reset)| *of != user && reset.secret == secret)
        {
            return Err(StoreError::IdTaken);
        }
        resets.insert(user, Reset { secret, expires_at });
        records.append_audit(&events, actor, now);
        Ok(true)
    }

    fn reset_user(&self, secret: TokenHash, now: Timestamp) -> Result<Option<User>, StoreError> {
        Ok(self.records().user_to_reset(secret, now).cloned())
    }

    fn redeem_reset(
        &self,
        secret: TokenHash,
        password: &PasswordHash,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        refuse_nul("password_hash", password.as_str())?;
        let mut records = self.records();
        let Some(before) = records.user_to_reset(secret, now) else {
            return Ok(None);
        };
        let changed = changed(before, &UserChange::of_reset(password, actor), now)?;
        records.users.insert(changed.user.id, changed.user.clone());
        records.sessions.end_all(changed.user.id, now);
        records.append_audit(&reset(&changed.user), actor, now);
        Ok(Some(changed.user))
    }
}

impl Records {
    /// The session of a refresh token, whether the token was used, and the session's user.
    fn presented(&self, token: TokenHash) -> Option<(KeptSession, bool, User)> {
        let token = self.sessions.tokens.get(&token)?;
        let kept = self.sessions.kept.get(&token.session)?;
        let user = self.users.get(&kept.session.user)?;
        Some((kept.clone(), token.is_used, user.clone()))
    }

    fn user_to_reset(&self, secret: TokenHash, now: Timestamp) -> Option<&User> {
        let user = self.sessions.reset(secret, now)?;
        self.users.get(&user).filter(|user| user.is_active)
    }
}

use diesel::prelude::*;
use tenantry_domain::{
    Actor, ForeignIdentity, IdentityProvider, IdentityProviderId, TenantId, Timestamp, User, UserId,
};

use super::audit::append;
use super::connection::AnyConnection;
use super::isolation::Guard;
use super::ledger::WorkError;
use super::rows::{IdentityRow, UserRow};
use super::schema::{identities, identity_providers, users};
use super::users::save;
use super::{SqlStore, dialect};
use crate::ledger::audit::{Events, user_changed, user_created};
use crate::ledger::identities::{Standing, linked, new_role, new_user, role_since, standing, still_speaks};
use crate::ledger::users::changed;
use crate::{Admission, StoreError, UserChange};

/// How often an admission is made anew because another one of the same person came first.
const ATTEMPTS: u32 = 3;

/// Somebody with a verified token of a tenant's provider, to be found or made a user.
pub(super) struct Admitting<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) provider: &'a IdentityProvider,
    pub(super) identity: &'a ForeignIdentity,
    pub(super) new_user: UserId,
    pub(super) actor: &'a Actor,
    pub(super) now: Timestamp,
}

impl SqlStore {
    /// Reads who somebody is, and writes only what is not so yet.
    pub(super) fn admit(&self, admitting: &Admitting<'_>) -> Result<Admission, StoreError> {
        let guard = self.guard()?;
        let known = self.run(|conn| dialect::reading(conn, |conn| admitting.known(conn, guard)))?;
        if let Some(row) = known {
            let ended_at = row.sessions_ended_at();
            let user = User::try_from(row)?;
            if new_role(admitting.identity, &user, ended_at).is_none() {
                return Ok(Admission::User(Box::new(user)));
            }
        }
        let mut attempt = 1;
        loop {
            let done = dialect::writing(&mut *self.acquire()?, |conn| admitting.admit(conn, guard));
            match done.map_err(StoreError::from) {
                Err(error) if came_second(&error) && attempt < ATTEMPTS => attempt += 1,
                done => return done,
            }
        }
    }
}

impl Admitting<'_> {
    /// The user whom the subject is linked to, if the provider still speaks and the user still is in its tenant.
    fn known(&self, conn: &mut AnyConnection, guard: &Guard) -> QueryResult<Option<UserRow>> {
        dialect::enter(conn, guard, self.tenant)?;
        let speaks = identity_providers::table
            .find((self.tenant.as_str(), self.provider.id.to_string()))
            .filter(identity_providers::issuer.eq(&self.provider.issuer))
            .filter(identity_providers::is_active)
            .select(identity_providers::id);
        if speaks.first::<String>(conn).optional()?.is_none() {
            return Ok(None);
        }
        let Some(user) = self.link(conn)? else {
            return Ok(None);
        };
        dialect::leave(conn, guard)?;
        users::table
            .find(user)
            .filter(users::tenant_id.eq(self.tenant.as_str()))
            .first(conn)
            .optional()
    }

    /// Whom the subject is linked to.
    fn link(&self, conn: &mut AnyConnection) -> QueryResult<Option<String>> {
        let key = (
            self.tenant.as_str(),
            self.provider.id.to_string(),
            self.identity.subject.as_str(),
        );
        identities::table
            .find(key)
            .select(identities::user_id)
            .first(conn)
            .optional()
    }

    /// Finds or makes the user, and links the subject to them; in one transaction, of which of one provider one runs at a time.
    fn admit(&self, conn: &mut AnyConnection, guard: &Guard) -> Result<Admission, WorkError> {
        dialect::enter(conn, guard, self.tenant)?;
        let kept = dialect::provider_to_change(conn, self.tenant, self.provider.id)?;
        let kept = kept.map(IdentityProvider::try_from).transpose()?;
        let Some(provider) = kept.filter(|kept| still_speaks(kept, self.provider)) else {
            return Err(StoreError::UnknownTenant.into());
        };
        let link = self.link(conn)?;
        dialect::leave(conn, guard)?;
        let member = match link {
            Some(id) => dialect::member_to_keep(conn, self.tenant, &id)?,
            None => None,
        };
        let mut events = Events::new();
        let is_linked = member.is_some();
        let user = match member.map(User::try_from).transpose()? {
            Some(user) => user,
            None => match self.newcomer(conn, &provider, &mut events)? {
                Ok(user) => user,
                Err(nobody) => return Ok(nobody),
            },
        };
        let user = self.follow_role(conn, user, &mut events)?;
        dialect::enter(conn, guard, self.tenant)?;
        if !is_linked {
            self.relink(conn, provider.id, user.id)?;
            events.push(linked(self.tenant, provider.id, user.id));
        }
        append(conn, guard, &events, self.actor, self.now)?;
        Ok(Admission::User(Box::new(user)))
    }

    /// The user whom somebody is who is not linked to one of the tenant, found by the address or made; else what they are instead.
    fn newcomer(
        &self,
        conn: &mut AnyConnection,
        provider: &IdentityProvider,
        events: &mut Events,
    ) -> Result<Result<User, Admission>, WorkError> {
        let of_address = match &self.identity.email {
            Some(email) => dialect::user_to_keep(conn, email)?,
            None => None,
        };
        let of_address = of_address.map(User::try_from).transpose()?;
        Ok(match standing(self.tenant, provider, self.identity, of_address) {
            Standing::Known(user) => Ok(*user),
            Standing::New(email) => {
                let user = new_user(self.tenant, self.identity, self.new_user, email, self.now);
                let insert = diesel::insert_into(users::table).values(UserRow::from(&user));
                insert.execute(conn)?;
                events.extend(user_created(&user));
                Ok(user)
            }
            Standing::Unknown => Err(Admission::Unknown),
            Standing::AddressTaken => Err(Admission::AddressTaken),
        })
    }

    /// Gives the user the role that the provider says, which ends their sessions when it was another.
    fn follow_role(
        &self,
        conn: &mut AnyConnection,
        user: User,
        events: &mut Events,
    ) -> Result<User, WorkError> {
        let row: UserRow = users::table.find(user.id.to_string()).first(conn)?;
        let Some(role) = new_role(self.identity, &user, row.sessions_ended_at()) else {
            return Ok(user);
        };
        let change = UserChange {
            role: Some(role),
            actor: self.actor.clone(),
            ..UserChange::default()
        };
        let changed = changed(&user, &change, self.now)?;
        save(conn, &changed, role_since(self.identity, self.now))?;
        events.extend(user_changed(&user, &changed.user, &change));
        Ok(changed.user)
    }

    fn relink(
        &self,
        conn: &mut AnyConnection,
        provider: IdentityProviderId,
        user: UserId,
    ) -> QueryResult<()> {
        let subject = self.identity.subject.as_str();
        let key = (self.tenant.as_str(), provider.to_string(), subject);
        diesel::delete(identities::table.find(key)).execute(conn)?;
        let row = IdentityRow::new(self.tenant, provider, subject, user, self.now);
        let insert = diesel::insert_into(identities::table).values(row);
        insert.execute(conn).map(drop)
    }
}

/// Whether a failed admission may succeed when it is made anew: somebody else made the user or the link meanwhile.
fn came_second(error: &StoreError) -> bool {
    matches!(error, StoreError::IdTaken | StoreError::EmailTaken)
}

/// Forgets who the subjects of a provider were.
pub(super) fn forget(
    conn: &mut AnyConnection,
    tenant: &TenantId,
    provider: IdentityProviderId,
) -> QueryResult<()> {
    let of_provider = identities::table
        .filter(identities::tenant_id.eq(tenant.as_str()))
        .filter(identities::provider_id.eq(provider.to_string()));
    diesel::delete(of_provider).execute(conn).map(drop)
}

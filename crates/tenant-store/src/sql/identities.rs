use diesel::prelude::*;
use tenantry_domain::{
    Actor, ForeignIdentity, IdentityProvider, IdentityProviderId, Page, Paged, TenantId, TenantScope,
    Timestamp, UserId,
};

use super::admission::{Admitting, forget};
use super::audit::append;
use super::dialect::Presented;
use super::rows::ProviderRow;
use super::schema::{identity_providers, tenants};
use super::{SqlStore, dialect, paged};
use crate::ledger::identities::{added, changed, removed};
use crate::text::Texts;
use crate::{Admission, IdentityStore, StoreError};

impl IdentityStore for SqlStore {
    fn create_identity_provider(
        &self,
        scope: &TenantScope,
        provider: &IdentityProvider,
    ) -> Result<(), StoreError> {
        provider.refuse_nul()?;
        let guard = self.guard()?;
        let row = ProviderRow::new(scope.id(), provider);
        self.write(scope, |conn| {
            let insert = diesel::insert_into(identity_providers::table).values(row);
            insert.execute(conn)?;
            let entry = added(scope.id(), provider);
            append(conn, guard, &[entry], scope.actor(), provider.created_at)
        })
    }

    fn identity_provider(
        &self,
        scope: &TenantScope,
        id: IdentityProviderId,
    ) -> Result<Option<IdentityProvider>, StoreError> {
        let query = identity_providers::table
            .find((scope.id().as_str(), id.to_string()))
            .select(ProviderRow::as_select());
        self.in_scope(scope, |conn| query.first::<ProviderRow>(conn).optional())?
            .map(IdentityProvider::try_from)
            .transpose()
    }

    fn identity_providers(
        &self,
        scope: &TenantScope,
        page: Page,
    ) -> Result<Paged<IdentityProvider>, StoreError> {
        let of_tenant =
            || identity_providers::table.filter(identity_providers::tenant_id.eq(scope.id().as_str()));
        let (rows, total) = self.in_scope(scope, |conn| {
            let rows = of_tenant()
                .order(identity_providers::id.asc())
                .select(ProviderRow::as_select())
                .limit(page.limit().into())
                .offset(page.offset().into())
                .load::<ProviderRow>(conn)?;
            Ok((rows, of_tenant().count().get_result(conn)?))
        })?;
        paged(rows, total)
    }

    fn update_identity_provider(
        &self,
        scope: &TenantScope,
        provider: &IdentityProvider,
    ) -> Result<bool, StoreError> {
        provider.refuse_nul()?;
        let guard = self.guard()?;
        let tenant = scope.id();
        self.write(scope, |conn| {
            let Some(before) = dialect::provider_to_change(conn, tenant, provider.id)? else {
                return Ok(false);
            };
            let before = IdentityProvider::try_from(before)?;
            let after = IdentityProvider {
                created_at: before.created_at,
                ..provider.clone()
            };
            let key = (tenant.as_str(), provider.id.to_string());
            diesel::update(identity_providers::table.find(key))
                .set(ProviderRow::new(tenant, &after))
                .execute(conn)?;
            if before.issuer != after.issuer {
                forget(conn, tenant, provider.id)?;
            }
            let entry = changed(tenant, &before, &after);
            append(conn, guard, entry.as_slice(), scope.actor(), after.updated_at)?;
            Ok(true)
        })
    }

    fn remove_identity_provider(
        &self,
        scope: &TenantScope,
        id: IdentityProviderId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let guard = self.guard()?;
        // Who its subjects were goes with the row that they name.
        let key = (scope.id().as_str(), id.to_string());
        let removal = diesel::delete(identity_providers::table.find(key));
        self.write(scope, |conn| {
            if removal.execute(conn)? == 0 {
                return Ok(false);
            }
            append(conn, guard, &[removed(scope.id(), id)], scope.actor(), now)?;
            Ok(true)
        })
    }

    fn providers_of_issuer(&self, issuer: &str) -> Result<Vec<(TenantId, IdentityProvider)>, StoreError> {
        if issuer.contains('\0') {
            return Ok(Vec::new());
        }
        let query = identity_providers::table
            .inner_join(tenants::table)
            .filter(identity_providers::issuer.eq(issuer))
            .filter(identity_providers::is_active)
            .filter(tenants::is_active)
            .order((identity_providers::tenant_id.asc(), identity_providers::id.asc()))
            .select(ProviderRow::as_select());
        let rows = self.run(|conn| {
            dialect::presenting(conn, &Presented::TokenOf(issuer), |conn| {
                query.load::<ProviderRow>(conn)
            })
        })?;
        rows.into_iter().map(ProviderRow::with_tenant).collect()
    }

    fn admit_identity(
        &self,
        tenant: &TenantId,
        provider: &IdentityProvider,
        identity: &ForeignIdentity,
        new_user: UserId,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Admission, StoreError> {
        identity.refuse_nul()?;
        let admitting = Admitting {
            tenant,
            provider,
            identity,
            new_user,
            actor,
            now,
        };
        self.admit(&admitting)
    }
}

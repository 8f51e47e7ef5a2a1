use diesel::prelude::*;
use tenantry_domain::{ApiKey, ApiKeyId, Page, Paged, TenantId, TenantScope, Timestamp, TokenHash};

use super::audit::append;
use super::connection::AnyConnection;
use super::dialect::Presented;
use super::rows::{ApiKeyRow, TenantRow};
use super::schema::{api_keys, tenants};
use super::{SqlStore, dialect, paged};
use crate::ledger::api_keys::{created, revoked, rotated};
use crate::text::Texts;
use crate::{ApiKeyStore, KeyAccess, StoreError};

impl ApiKeyStore for SqlStore {
    fn create_api_key(&self, scope: &TenantScope, key: &ApiKey, secret: TokenHash) -> Result<(), StoreError> {
        key.refuse_nul()?;
        let row = ApiKeyRow::new(scope.id(), key, secret);
        let guard = self.guard()?;
        self.write(scope, |conn| {
            insert(conn, row)?;
            let entry = created(scope.id(), key);
            append(conn, guard, &[entry], scope.actor(), key.created_at)
        })
    }

    fn api_key(&self, scope: &TenantScope, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        self.in_scope(scope, |conn| find(conn, scope.id(), id))?
            .map(ApiKey::try_from)
            .transpose()
    }

    fn api_keys(&self, scope: &TenantScope, page: Page) -> Result<Paged<ApiKey>, StoreError> {
        let of_tenant = || api_keys::table.filter(api_keys::tenant_id.eq(scope.id().as_str()));
        let (rows, total) = self.in_scope(scope, |conn| {
            let rows = of_tenant()
                .order((api_keys::created_at.desc(), api_keys::id.desc()))
                .select(ApiKeyRow::as_select())
                .limit(page.limit().into())
                .offset(page.offset().into())
                .load::<ApiKeyRow>(conn)?;
            Ok((rows, of_tenant().count().get_result(conn)?))
        })?;
        paged(rows, total)
    }

    fn revoke_api_key(
        &self,
        scope: &TenantScope,
        id: ApiKeyId,
        now: Timestamp,
    ) -> Result<Option<ApiKey>, StoreError> {
        let guard = self.guard()?;
        let row = self.write(scope, |conn| {
            let newly_revoked = diesel::update(by_id(scope.id(), id))
                .filter(api_keys::revoked_at.is_null())
                .set(api_keys::revoked_at.eq(now.unix_micros()))
                .execute(conn)?;
            let row = find(conn, scope.id(), id)?;
            if newly_revoked > 0 {
                append(conn, guard, &[revoked(scope.id(), id)], scope.actor(), now)?;
            }
            Ok(row)
        })?;
        row.map(ApiKey::try_from).transpose()
    }

    fn rotate_api_key(
        &self,
        scope: &TenantScope,
        id: ApiKeyId,
        next: &ApiKey,
        secret: TokenHash,
        old_until: Timestamp,
    ) -> Result<bool, StoreError> {
        next.refuse_nul()?;
        let row = ApiKeyRow::new(scope.id(), next, secret);
        let guard = self.guard()?;
        let (now, until) = (next.created_at.unix_micros(), old_until.unix_micros());
        self.write(scope, |conn| {
            // Of two at once the second waits here for the first, and then finds a successor.
            let replaced = diesel::update(by_id(scope.id(), id))
                .filter(api_keys::replaced_by.is_null())
                .filter(api_keys::revoked_at.is_null())
                .filter(api_keys::expires_at.is_null().or(api_keys::expires_at.gt(now)))
                .set(api_keys::replaced_by.eq(next.id.to_string()))
                .execute(conn)?;
            if replaced == 0 {
                return Ok(false);
            }
            diesel::update(by_id(scope.id(), id))
                .filter(api_keys::expires_at.is_null().or(api_keys::expires_at.gt(until)))
                .set(api_keys::expires_at.eq(until))
                .execute(conn)?;
            insert(conn, row)?;
            let entry = rotated(scope.id(), id, next);
            append(conn, guard, &[entry], scope.actor(), next.created_at)?;
            Ok(true)
        })
    }

    fn key_access(&self, secret: TokenHash) -> Result<Option<KeyAccess>, StoreError> {
        let query = api_keys::table
            .inner_join(tenants::table)
            .filter(api_keys::secret_hash.eq(secret.as_bytes().as_slice()))
            .select((ApiKeyRow::as_select(), tenants::all_columns));
        let found = self.run(|conn| {
            dialect::presenting(conn, &Presented::Key(secret), |conn| {
                query.first::<(ApiKeyRow, TenantRow)>(conn).optional()
            })
        })?;
        let Some((key, tenant)) = found else {
            return Ok(None);
        };
        Ok(Some(KeyAccess {
            key: key.try_into()?,
            tenant: tenant.try_into()?,
        }))
    }

    fn api_key_used(&self, secret: TokenHash, at: Timestamp) -> Result<(), StoreError> {
        let hash = secret.as_bytes().as_slice();
        let at = at.unix_micros();
        let earlier = || api_keys::used_at.is_null().or(api_keys::used_at.lt(at));
        let of_earlier_use = api_keys::table
            .filter(api_keys::secret_hash.eq(hash))
            .filter(earlier())
            .select(api_keys::tenant_id);
        let tenant = self.run(|conn| {
            dialect::presenting(conn, &Presented::Key(secret), |conn| {
                of_earlier_use.first::<String>(conn).optional()
            })
        })?;
        let Some(tenant) = tenant else {
            return Ok(());
        };
        let tenant = TenantId::parse(&tenant).map_err(|error| StoreError::Failed(error.into()))?;
        let note = diesel::update(api_keys::table)
            .filter(api_keys::tenant_id.eq(tenant.as_str()))
            .filter(api_keys::secret_hash.eq(hash))
            .filter(earlier())
            .set(api_keys::used_at.eq(at));
        self.in_tenant(&tenant, |conn| note.execute(conn)).map(drop)
    }
}

#[diesel::dsl::auto_type]
fn by_id<'t>(tenant: &'t TenantId, id: ApiKeyId) -> _ {
    let key: (&'t str, String) = (tenant.as_str(), id.to_string());
    api_keys::table.find(key)
}

fn find(conn: &mut AnyConnection, tenant: &TenantId, id: ApiKeyId) -> QueryResult<Option<ApiKeyRow>> {
    by_id(tenant, id)
        .select(ApiKeyRow::as_select())
        .first::<ApiKeyRow>(conn)
        .optional()
}

fn insert(conn: &mut AnyConnection, row: ApiKeyRow) -> QueryResult<()> {
    diesel::insert_into(api_keys::table)
        .values(row)
        .execute(conn)
        .map(drop)
}

use diesel::prelude::*;
use tenantry_domain::{Dimension, EmbeddingModel, Generation, Index, IndexState, TenantId};

use super::{moment, number, parsed, unreadable};
use crate::StoreError;
use crate::ledger::Entry;
use crate::sql::schema::indexes;

const TABLE: &str = "indexes";
const FORGOTTEN: &str = "forgotten";

/// An index, or what is left of a forgotten one.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = indexes)]
#[diesel(primary_key(tenant_id, generation))]
#[diesel(treat_none_as_null = true)]
pub(in crate::sql) struct IndexRow {
    pub(in crate::sql) tenant_id: String,
    pub(in crate::sql) generation: i64,
    provider: Option<String>,
    model: Option<String>,
    dimension: Option<i64>,
    state: String,
    created_at: i64,
}

impl IndexRow {
    pub(in crate::sql) fn new(tenant: &TenantId, entry: &Entry) -> Self {
        let index = &entry.index;
        let model = index.model.as_ref();
        let dimension = model.and_then(|model| model.dimension);
        Self {
            tenant_id: tenant.to_string(),
            generation: index.generation.get().into(),
            provider: model.map(|model| model.provider.clone()),
            model: model.map(|model| model.name.clone()),
            dimension: dimension.and_then(|dimension| i64::try_from(dimension.get()).ok()),
            state: if entry.is_forgotten {
                FORGOTTEN.to_owned()
            } else {
                index.state.as_str().to_owned()
            },
            created_at: index.created_at.unix_micros(),
        }
    }
}

impl TryFrom<IndexRow> for Entry {
    type Error = StoreError;

    fn try_from(row: IndexRow) -> Result<Self, StoreError> {
        let is_forgotten = row.state == FORGOTTEN;
        let state = if is_forgotten {
            IndexState::Retired
        } else {
            parsed(TABLE, &row.state)?
        };
        let dimension = row
            .dimension
            .map(|dimension| number(TABLE, dimension))
            .transpose()?;
        let dimension = dimension
            .and_then(|n| usize::try_from(n).ok())
            .map(Dimension::new);
        let dimension = dimension.transpose().map_err(unreadable(TABLE))?;
        let model = row.provider.zip(row.model);
        Ok(Self {
            index: Index {
                generation: generation(row.generation)?,
                model: model.map(|(provider, name)| EmbeddingModel {
                    provider,
                    name,
                    dimension,
                }),
                state,
                created_at: moment(TABLE, row.created_at)?,
            },
            is_forgotten,
        })
    }
}

/// The generation of a column.
pub(in crate::sql) fn generation(value: i64) -> Result<Generation, StoreError> {
    Generation::new(number(TABLE, value)?).ok_or_else(|| unreadable(TABLE)("a generation is 0"))
}

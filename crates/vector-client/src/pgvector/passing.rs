//! The versions that a filter lets through, found once for both rankings.

use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use tenantry_domain::Filter;

use super::facts::Key;
use super::fault::Fault;
use super::filter::condition;

/// Which versions' chunks may be found.
#[derive(Debug)]
pub(super) enum Passing {
    /// All: there is no filter.
    All,
    /// These, which have few chunks together.
    Few(Vec<i64>),
    /// Those that the filter lets through: they have too many chunks to look at each.
    Many(Filter),
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Nullable<Array<BigInt>>)]
    ids: Option<Vec<i64>>,
}

impl Passing {
    /// Finds them; few are those with up to `few` chunks together.
    pub(super) fn of(
        conn: &mut PgConnection,
        key: Key<'_>,
        filter: Option<&Filter>,
        few: i64,
    ) -> Result<Self, Fault> {
        let Some(filter) = filter else {
            return Ok(Self::All);
        };
        let condition = condition(filter, 4);
        let query = sql_query(format!(
            "SELECT CASE WHEN coalesce(sum(v.chunks), 0) <= $3 THEN coalesce(array_agg(v.id), '{{}}') END AS ids
             FROM tenantry_vector_versions AS v WHERE v.tenant_id = $1 AND v.generation = $2 AND {}",
            condition.sql
        ));
        let query = query
            .into_boxed::<Pg>()
            .bind::<Text, _>(key.tenant)
            .bind::<BigInt, _>(key.generation)
            .bind::<BigInt, _>(few);
        let found = bind_texts(query, condition.binds).get_result::<Found>(conn)?;
        Ok(found.ids.map_or_else(|| Self::Many(filter.clone()), Self::Few))
    }

    /// Whether there is none.
    pub(super) fn is_none(&self) -> bool {
        matches!(self, Self::Few(ids) if ids.is_empty())
    }

    /// Whether their chunks are more than are compared one by one in a large index.
    pub(super) fn is_many(&self) -> bool {
        !matches!(self, Self::Few(_))
    }

    /// The condition on the column `version`, which binds from placeholder `first` on.
    pub(super) fn condition(&self, version: &str, first: usize) -> String {
        match self {
            Self::All => String::new(),
            Self::Few(_) => format!("AND {version} = ANY(${first})"),
            // As the operand of `IS TRUE` it is no join to plan: the versions are found once and looked up in a hash table.
            Self::Many(filter) => format!(
                "AND ({version} IN (SELECT v.id FROM tenantry_vector_versions AS v
                 WHERE v.tenant_id = $1 AND v.generation = $2 AND {})) IS TRUE",
                condition(filter, first).sql
            ),
        }
    }

    /// Binds what the condition needs.
    pub(super) fn bind<'q>(
        &'q self,
        query: BoxedSqlQuery<'q, Pg, SqlQuery>,
    ) -> BoxedSqlQuery<'q, Pg, SqlQuery> {
        match self {
            Self::All => query,
            Self::Few(ids) => query.bind::<Array<BigInt>, _>(ids),
            Self::Many(filter) => bind_texts(query, condition(filter, 1).binds),
        }
    }
}

fn bind_texts(query: BoxedSqlQuery<'_, Pg, SqlQuery>, texts: Vec<String>) -> BoxedSqlQuery<'_, Pg, SqlQuery> {
    texts.into_iter().fold(query, BoxedSqlQuery::bind::<Text, _>)
}

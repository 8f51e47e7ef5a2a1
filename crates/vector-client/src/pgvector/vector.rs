//! pgvector's type on the wire.

use std::io::Write as _;

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::SqlType;
use tenantry_domain::Embedding;

/// The SQL type `vector`.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(name = "vector"))]
pub(super) struct Vector;

/// An embedding as the server sends and takes it: two counts of 16 bits, the second 0, then 32-bit floats, all big-endian
/// (`vector_recv` and `vector_send` of pgvector).
#[derive(Debug, Clone, AsExpression, FromSqlRow)]
#[diesel(sql_type = Vector)]
pub(super) struct Floats(pub(super) Embedding);

impl ToSql<Vector, Pg> for Floats {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let values = self.0.as_slice();
        let mut bytes = Vec::with_capacity(values.len().saturating_add(1).saturating_mul(4));
        bytes.extend(u16::try_from(values.len())?.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(values.iter().flat_map(|value| value.to_be_bytes()));
        out.write_all(&bytes)?;
        Ok(IsNull::No)
    }
}

impl FromSql<Vector, Pg> for Floats {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let (numbers, rest) = value
            .as_bytes()
            .get(4..)
            .ok_or("a vector has a header")?
            .as_chunks::<4>();
        if !rest.is_empty() {
            return Err("a vector has numbers of 32 bits".into());
        }
        let numbers = numbers.iter().map(|bytes| f32::from_be_bytes(*bytes));
        Ok(Self(Embedding::new(numbers.collect())?))
    }
}

//! JSON as the column `json` keeps it: the text itself, parsed by nobody on our side.

use sqlx::{
    Encode, Postgres, Row, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgRow, PgTypeInfo, types::Oid},
};

/// The numbers of the types `json` and `json[]`, which are the same in every PostgreSQL.
const JSON: Oid = Oid(114);
const JSON_ARRAY: Oid = Oid(199);

/// JSON on its way to the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JsonText<'a>(pub(crate) &'a str);

impl Type<Postgres> for JsonText<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(JSON)
    }
}

impl PgHasArrayType for JsonText<'_> {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(JSON_ARRAY)
    }
}

impl Encode<'_, Postgres> for JsonText<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

/// JSON on its way into a column `jsonb`, which keeps the value and not the text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JsonbText<'a>(pub(crate) &'a str);

/// The numbers of the types `jsonb` and `jsonb[]`.
const JSONB: Oid = Oid(3_802);
const JSONB_ARRAY: Oid = Oid(3_807);

/// The only version there is of how `jsonb` is sent.
const JSONB_VERSION: u8 = 1;

impl Type<Postgres> for JsonbText<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(JSONB)
    }
}

impl PgHasArrayType for JsonbText<'_> {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(JSONB_ARRAY)
    }
}

impl Encode<'_, Postgres> for JsonbText<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.push(JSONB_VERSION);
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

/// The text in column `at` of `row`.
pub(crate) fn text(row: &PgRow, at: usize) -> Result<&str, sqlx::Error> {
    row.try_get_raw(at)?.as_str().map_err(undecoded(at))
}

/// Column `at` of `row` as the server sent it.
pub(crate) fn bytes(row: &PgRow, at: usize) -> Result<&[u8], sqlx::Error> {
    row.try_get_raw(at)?.as_bytes().map_err(undecoded(at))
}

fn undecoded(at: usize) -> impl FnOnce(BoxDynError) -> sqlx::Error {
    move |source| sqlx::Error::ColumnDecode { index: at.to_string(), source }
}

//! A log of an older layout is brought up to date by whoever opens it first.

use crate::place::{Place, at, number, to};
use annals::{EventStore, Expected};
use annals_postgres::PostgresStore;
use sqlx::AssertSqlSafe;

/// The log without what the last migration has made.
pub(crate) const WITHOUT_GUARDS: &str = include_str!("without_guards.sql");

/// What the migrations of the log behind the twelfth have made.
const BEFORE: &str = "DROP FUNCTION append_in_turn; ALTER FUNCTION check_written RESET search_path; \
                      UPDATE layouts SET version = 12 WHERE what LIKE '%event log%';";

/// How many owners the functions of the schema have.
const OWNERS: &str =
    "SELECT count(DISTINCT proowner) FROM pg_proc WHERE pronamespace = current_schema()::regnamespace";

/// Control: without `SET LOCAL ROLE` in `migrate.rs`, the owner may not call what the other one made.
#[tokio::test]
async fn a_log_that_somebody_else_brought_up_to_date_is_still_its_owners() {
    let Some(place) = Place::new() else { return };
    let options = place.url_as(&place.make_owner().await).parse().unwrap();
    let mut raw = place.raw().await;
    let one = PostgresStore::open(&options).await.unwrap();
    one.append(to("order-1", Expected::NEW, 1)).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("{BEFORE}{WITHOUT_GUARDS}"))).execute(&mut raw).await.unwrap();

    // A superuser, who could make functions of their own there.
    drop(place.store().await);
    assert_eq!(number(&mut raw, OWNERS).await, 1);
    let other = PostgresStore::open(&options).await.unwrap();
    for version in (1..9).step_by(2) {
        // Each behind the other one.
        other.append(to("order-1", at(version), 1)).await.unwrap();
        one.append(to("order-1", at(version + 1), 1)).await.unwrap();
    }
    assert_eq!(number(&mut raw, "SELECT max(position) FROM log").await, 9);
}

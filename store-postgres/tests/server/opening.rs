//! Opening: many at once, and what is refused with a next step.

use crate::place::{Place, number, to};
use annals::{EventStore, Expected};
use annals_postgres::{PostgresDocuments, PostgresStore, ServerError};
use sqlx::AssertSqlSafe;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn ten_that_start_at_once_make_the_tables_once() {
    let Some(place) = Place::new() else { return };
    let mut starting = JoinSet::new();
    for i in 0..10 {
        let options = place.options();
        starting.spawn(async move {
            let store = PostgresStore::open(&options).await.unwrap();
            PostgresDocuments::open(&options).await.unwrap();
            store.append(to(&format!("order-{i}"), Expected::NEW, 1)).await.unwrap()
        });
    }
    let mut positions: Vec<_> = starting.join_all().await.iter().map(|done| done.position.get()).collect();
    positions.sort_unstable();
    assert_eq!(positions, (1..=10).collect::<Vec<_>>());
    assert_eq!(number(&mut place.raw().await, "SELECT count(*) FROM layouts").await, 2);
}

#[tokio::test]
async fn a_newer_layout_is_refused_and_left_as_it_is() {
    let Some(place) = Place::new() else { return };
    drop(place.store().await);
    let mut owner = place.raw().await;
    sqlx::raw_sql("UPDATE layouts SET version = 99").execute(&mut owner).await.unwrap();
    let error = place.open().await.unwrap_err();
    assert!(matches!(error, ServerError::Newer { version: 99, .. }), "{error}");
    assert!(error.to_string().ends_with("update the program"), "{error}");
    assert_eq!(number(&mut owner, "SELECT version::bigint FROM layouts").await, 99);
}

#[tokio::test]
async fn tables_of_somebody_else_are_refused_and_left_as_they_are() {
    let Some(place) = Place::new() else { return };
    let mut owner = place.raw().await;
    let make = format!("CREATE SCHEMA {0}; CREATE TABLE {0}.log(text text)", place.schema);
    sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut owner).await.unwrap();
    let error = place.open().await.unwrap_err();
    assert!(matches!(error, ServerError::Foreign { .. }), "{error}");
    let tables = format!("SELECT count(*) FROM pg_tables WHERE schemaname = '{}'", place.schema);
    assert_eq!(number(&mut owner, &tables).await, 1);
}

#[tokio::test]
async fn what_leads_nowhere_is_told_with_a_next_step_and_without_the_password() {
    let Some(place) = Place::new() else { return };
    let mut owner = place.raw().await;
    // Logins of `keeper` ask for a password; all others of this machine are trusted.
    let made = sqlx::raw_sql("CREATE ROLE keeper LOGIN PASSWORD 'right'").execute(&mut owner).await;
    made.unwrap_or_default();
    let url = place.url();
    let (user, rest) = url.split_once('@').unwrap();
    let (server, _) = rest.split_once('/').unwrap();
    for (url, says) in [
        (format!("postgres://keeper:hunter2@{rest}"), "check user and password"),
        (format!("{user}@{server}/nowhere"), "make it with createdb"),
        ("postgres://annals:hunter2@127.0.0.1:1/annals".into(), "see that the server runs"),
        (format!("postgres://keeper:right@{rest}"), "let the owner open it once"),
    ] {
        let error = PostgresStore::open(&url.parse().unwrap()).await.unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(error.to_string().contains(says), "{told}");
        assert!(!told.contains("hunter2") && !told.contains("right@"), "{told}");
    }
}

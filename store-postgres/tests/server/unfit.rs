//! Servers and users that the store cannot keep its promises with.

use crate::{filling::Filling, own::Own};
use annals::{DocumentStore, EventStore, Expected, LogFilter, PageLimit, Position};
use annals_postgres::{PostgresDocuments, PostgresStore, ServerError};

async fn refusal(own: &Own, options: &str) -> ServerError {
    let error = PostgresStore::open(&own.options("127.0.0.1", options)).await.unwrap_err();
    let documents = PostgresDocuments::open(&own.options("127.0.0.1", options)).await.unwrap_err();
    assert_eq!(documents.to_string(), error.to_string(), "read models are refused for the same reason");
    assert!(error.to_string().ends_with(error.next_step()), "{error}");
    error
}

#[tokio::test]
async fn a_server_that_could_lose_what_it_acknowledged_is_refused_unless_the_url_says_so() {
    let Some(own) = Own::new("unfit") else { return };
    for off in ["fsync", "full_page_writes", "synchronous_commit"] {
        own.start(&[&format!("{off}=off")]);
        let error = refusal(&own, "").await;
        assert!(matches!(&error, ServerError::Setting { setting, .. } if *setting == off), "{error}");
        assert!(error.next_step().contains("unsafe-durability"), "{error}");
        let store = PostgresStore::open(&own.options("127.0.0.1", "unsafe-durability")).await.unwrap();
        assert!(!store.settings().await.unwrap().is_durable(), "{off}");
    }
    own.start(&[]);
    let store = PostgresStore::open(&own.options("127.0.0.1", "")).await.unwrap();
    assert!(store.settings().await.unwrap().is_durable());
}

#[tokio::test]
async fn a_standby_is_refused_and_left_as_it_is() {
    let Some(own) = Own::new("standby") else { return };
    own.start(&[]);
    let store = PostgresStore::open(&own.options("127.0.0.1", "")).await.unwrap();
    store.append(crate::place::to("order-1", Expected::NEW, 1)).await.unwrap();
    drop(store);
    let documents = PostgresDocuments::open(&own.options("127.0.0.1", "")).await.unwrap();
    let mut live = Filling::live(&documents, "orders").await;
    live.put(1, &[("a", "1")]).await;
    drop(documents);
    own.write("standby.signal", "");
    own.start(&["hot_standby=on"]);
    let error = refusal(&own, "").await;
    assert!(matches!(error, ServerError::Standby { .. }), "{error}");
    assert_eq!(error.next_step(), "name the primary server");

    // Whoever only looks is let in, and refused what would write.
    let options = own.options("127.0.0.1", "");
    let store = PostgresStore::open_to_look(&options).await.unwrap();
    let page = store.read_log(Position::START, PageLimit::MAX, &LogFilter::all()).await.unwrap();
    assert_eq!((page.events.len(), *store.head().borrow()), (1, Position::new(1)));
    assert!(store.settings().await.unwrap().is_standby);
    let error = store.append(crate::place::to("order-1", Expected::Any, 1)).await.unwrap_err();
    assert!(annals::error_text(&error).contains("standby or read-only: name the primary"), "{error}");
    let documents = PostgresDocuments::open_to_look(&options).await.unwrap();
    let (id, _) = documents.live("orders").await.unwrap().unwrap();
    assert_eq!(documents.documents(&id, None, PageLimit::MAX).await.unwrap().len(), 1);
    let error = documents.start_rebuild("orders", 1).await.unwrap_err();
    assert!(annals::error_text(&error).contains("standby or read-only: name the primary"), "{error}");

    // Tables that are not there, or are of an older layout, cannot be made.
    let error = PostgresStore::open_to_look(&own.options("127.0.0.1", "schema=none")).await.unwrap_err();
    assert!(matches!(&error, ServerError::ReadOnly { .. }), "{error}");
}

#[tokio::test]
async fn what_a_user_is_set_to_counts_as_what_the_server_is_set_to() {
    let Some(own) = Own::new("users") else { return };
    own.start(&[]);
    own.run(
        "CREATE ROLE careless LOGIN SUPERUSER; ALTER ROLE careless SET synchronous_commit = off; \
         CREATE ROLE reader LOGIN SUPERUSER; ALTER ROLE reader SET default_transaction_read_only = on; \
         CREATE ROLE strict LOGIN SUPERUSER; ALTER ROLE strict SET default_transaction_isolation = serializable; \
         CREATE ROLE crowd LOGIN SUPERUSER CONNECTION LIMIT 0; CREATE ROLE alone LOGIN CONNECTION LIMIT 0",
    )
    .await;
    let error = refusal(&own, "user=careless").await;
    assert!(matches!(&error, ServerError::Setting { setting: "synchronous_commit", .. }), "{error}");

    // No tables yet: they cannot be made.
    let error = refusal(&own, "user=reader").await;
    assert!(matches!(&error, ServerError::ReadOnly { .. }), "{error}");
    assert!(error.next_step().contains("default_transaction_read_only"), "{error}");

    let error = refusal(&own, "user=alone").await;
    assert!(error.next_step().contains("max_connections"), "{error}");

    // The functions that append need read committed, whatever this user has by default.
    let store = PostgresStore::open(&own.options("127.0.0.1", "user=strict")).await.unwrap();
    let settings = store.settings().await.unwrap();
    assert_eq!(
        (&*settings.isolation, &*settings.role, &*settings.right),
        ("read committed", "strict", "superuser")
    );
    for version in 0..3 {
        // From two processes, so that the long way is taken too.
        let other = PostgresStore::open(&own.options("127.0.0.1", "user=strict")).await.unwrap();
        store.append(crate::place::to("order-1", crate::place::at(2 * version), 1)).await.unwrap();
        other.append(crate::place::to("order-1", crate::place::at(2 * version + 1), 1)).await.unwrap();
    }

    // There are tables now: who may not write can read them, and is told so when it appends.
    let store = PostgresStore::open(&own.options("127.0.0.1", "user=reader")).await.unwrap();
    let error = store.append(crate::place::to("order-2", Expected::NEW, 1)).await.unwrap_err();
    assert!(annals::error_text(&error).contains("read-only: name the primary"), "{error}");
}

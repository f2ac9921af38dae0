//! A pooler that the URL does not name.

use super::Pooled;
use annals_postgres::{PostgresDocuments, PostgresOptions, PostgresStore, ServerError};

async fn assert_found(options: &PostgresOptions, says: &str) {
    let found = [
        PostgresStore::open(options).await.err(),
        PostgresDocuments::open(options).await.err(),
        PostgresStore::exists(options).await.err(),
    ];
    for error in found {
        let error = error.expect("a pooler that the URL does not name is refused");
        assert!(matches!(error, ServerError::Pooler { .. }), "{error:?}");
        assert!(
            error.to_string().contains(says) && error.next_step().contains("pooler=transaction"),
            "{error}"
        );
    }
}

/// Control: without the look in `Server::connect_first`, the one that leaves out what it does not know is let in.
#[tokio::test]
async fn a_pooler_that_the_url_does_not_name_is_refused() {
    if let Some(reason) = Pooled::missing() {
        return annals::testing::skip("a_pooler_that_the_url_does_not_name_is_refused", &reason);
    }
    for (lines, says) in [
        ("", "unsupported startup parameter"),
        ("ignore_startup_parameters = extra_float_digits", "unsupported startup parameter"),
        // Told to take whatever it is told, and to forget it.
        ("ignore_startup_parameters = extra_float_digits, options", "leaves out what is said"),
        (
            "pool_mode = session\nignore_startup_parameters = extra_float_digits, options",
            "leaves out what is said",
        ),
    ] {
        let pooled = Pooled::with(lines);
        let unnamed = pooled.place.url_at(pooled.pooler.port()).parse().unwrap();
        assert_found(&unnamed, says).await;
        // Named, it is what it says.
        PostgresStore::open(&pooled.url().parse().unwrap()).await.unwrap();
    }
}

/// What is said at connecting is in force, and nothing of it is taken for a pooler's doing.
#[tokio::test]
async fn a_server_is_not_taken_for_a_pooler() {
    let Some(place) = crate::place::Place::new() else { return };
    let store = place.store().await;
    assert_eq!(store.settings().await.unwrap().isolation, "read committed");
}

//! What is committed is published: once, in order, under the key of its aggregate.

use crate::place::Place;
use annals::{Position, catch_up};

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_published_once_and_in_order_also_after_a_new_start() {
    let Some(place) = Place::shared() else { return };
    for round in 0..3 {
        for key in 0..100 {
            place.append("order", key, 3).await;
            place.append("stock", key, 1).await;
        }
        let at = catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
        assert_eq!(at, Position::new(400 * (round + 1)));
        let proof = place.proof(&["order", "stock"]).await;
        assert!(proof.holds(), "{proof:?}");
        assert_eq!(proof.records(), 400 * (round + 1));
    }
}

/// How it was broken: without `check_log` the second log's events below the first one's position are never published,
/// and nobody is told.
#[tokio::test(flavor = "multi_thread")]
async fn another_log_under_the_same_name_is_refused() {
    let Some(place) = Place::shared() else { return };
    place.append("order", 1, 3).await;
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
    let (name, prefix) = (place.name.clone(), place.prefix.clone());
    let other = Place { name, prefix, ..Place::on(place.options.clone()) };
    other.append("order", 1, 5).await;
    let refused = catch_up(&*other.store, &mut other.publisher(other.terms())).await.unwrap_err();
    assert!(annals::error_text(&refused).contains("publish under another --name"), "{refused:?}");
    assert_eq!(place.proof(&["order"]).await.records(), 3);
    // The control: the log that it was goes on.
    place.append("order", 1, 2).await;
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
    assert_eq!(place.proof(&["order"]).await.records(), 5);
}

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

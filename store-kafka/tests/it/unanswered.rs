//! A commit whose answer is lost: whether it counts, nobody was told, and yet each record is there once.

use crate::{broker::own, place::Place, proxy::Proxy};
use annals::{Position, catch_up};

/// So often, in a row.
const CUTS: u32 = 6;

const EVENTS: u64 = 400;

/// The control is the count of cuts: each commit arrived, and its answer did not.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_counts_once() {
    let Some(broker) = own("unanswered") else { return };
    let proxy = Proxy::to(broker.port());
    broker.start(&[&format!("advertised.listeners=PLAINTEXT://127.0.0.1:{}", proxy.port)]).unwrap();
    let place = Place::on(format!("kafka://127.0.0.1:{}", proxy.port).parse().unwrap());
    let mut events = 0;
    for cut in 1..=CUTS {
        for key in 0..100 {
            place.append("order", key, 4).await;
        }
        events += EVENTS;
        proxy.cut_next(1);
        let mut publisher = place.publisher(place.terms());
        // Where the client could not find out by asking again, the next session does.
        let published = catch_up(&*place.store, &mut publisher).await;
        let at = match published {
            Ok(at) => at,
            Err(_) => catch_up(&*place.store, &mut publisher).await.unwrap(),
        };
        assert_eq!((at, proxy.cuts()), (Position::new(events), cut));
        let proof = place.proof(&["order"]).await;
        assert!(proof.holds() && proof.records() == events, "{proof:?}");
    }
}

//! Snapshots lie beside the events.

use crate::shop::{Shop, stream, to};
use annals::{EventStore, Expected, Fingerprint, Json, Position, Snapshot, SnapshotStore, Version};

fn snapshot(of: u8, version: u64) -> Snapshot {
    let state = Json::stored(format!("[{of},{version}]"));
    Snapshot {
        of: Fingerprint([of; 16]),
        version: Version::new(version),
        position: Position::new(version),
        state,
    }
}

#[tokio::test]
async fn the_newest_snapshot_of_a_fold_is_kept() {
    let shop = Shop::new();
    let order = stream("order-1");
    let store = shop.store();
    for (kept, found) in [
        (snapshot(1, 10), "[1,10]"),
        (snapshot(1, 12), "[1,12]"),
        (snapshot(1, 11), "[1,12]"),
        (snapshot(2, 5), "[2,5]"),
    ] {
        let of = kept.of;
        store.keep(&order, kept).await.unwrap();
        let snapshot = store.snapshot(&order, of).await.unwrap().unwrap();
        assert_eq!(snapshot.state.as_str(), found);
    }
    assert!(store.snapshot(&order, Fingerprint([1; 16])).await.unwrap().is_none(), "of another fold");
    assert!(store.snapshot(&stream("order-2"), Fingerprint([2; 16])).await.unwrap().is_none());
    drop(store);
    let kept = shop.store().snapshot(&order, Fingerprint([2; 16])).await.unwrap().unwrap();
    assert_eq!((kept.version, kept.position), (Version::new(5), Position::new(5)));
}

/// They are a cache: an append that waits with them is not told of them.
#[tokio::test]
async fn emptying_the_snapshots_loses_no_event() {
    let shop = Shop::new();
    let store = shop.store();
    store.append(to("order-1", Expected::NEW, 2)).await.unwrap();
    store.keep(&stream("order-1"), snapshot(1, 2)).await.unwrap();
    shop.raw().execute_batch("DELETE FROM snapshots").unwrap();
    assert!(store.snapshot(&stream("order-1"), Fingerprint([1; 16])).await.unwrap().is_none());
    assert_eq!(store.append(to("order-1", Expected::Any, 1)).await.unwrap().position, Position::new(3));
}

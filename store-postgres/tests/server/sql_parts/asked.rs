//! What operators ask for about events that parts of a SQL projection have parked.

use super::{Room, event, none, page};
use crate::place::number;
use annals::{DocumentStore, ParkedAction, ParkedRequest, Position};
use std::sync::atomic::Ordering;

/// How it was broken: where all that is parked must be what was read, nothing is done while other parts park.
#[tokio::test]
async fn what_is_asked_is_done_though_another_part_parks_more_meanwhile() {
    let Some(mut room) = Room::new().await else { return };
    let (mut one, mut other) = (room.part(0).await, room.part(1).await);
    one.handle(&page(0, vec![event(1, "hat", 13)])).await.unwrap();
    // Its next look is a second away.
    other.tend().await.unwrap();
    *room.kept.1.lock().await = Some((other, page(0, vec![event(2, "hat", 1)])));
    room.sums.mended.store(true, Ordering::Relaxed);
    // One that has not looked yet, at its first look.
    let mut third = room.part(2).await;
    room.request("counter-hat", ParkedAction::Retry).await;
    third.tend().await.unwrap();
    assert!(room.parked().await.iter().all(|(position, ..)| *position == 2));
    assert!([13, 14].contains(&room.sum("hat").await));
}

/// How it was broken: without `up_to_another_key` it is settled, and counts nowhere.
#[tokio::test]
async fn what_has_another_key_by_now_stays_parked_and_says_so() {
    let Some(room) = Room::new().await else { return };
    let mut part = room.part(0).await;
    part.handle(&page(0, vec![event(1, "hat", 13)])).await.unwrap();
    room.sums.together.store(true, Ordering::Relaxed);
    room.ask(&mut *part, "counter-hat", ParkedAction::Retry).await;
    let parked = room.parked().await;
    assert_eq!(parked.len(), 1);
    assert!(parked[0].2.contains(r#"parks it under "all" today: discard it"#), "{parked:?}");
}

#[tokio::test]
async fn what_is_discarded_is_dropped_and_what_follows_is_tried() {
    let Some(mut room) = Room::new().await else { return };
    let mut part = room.part(0).await;
    part.handle(&page(0, vec![event(1, "hat", 13), event(2, "hat", 5)])).await.unwrap();
    // Where what was kept is gone, it stays parked and says so; what is dropped need not be found.
    let kept = std::mem::take(&mut *room.kept.0.lock().unwrap());
    room.ask(&mut *part, "counter-hat", ParkedAction::Retry).await;
    let parked = room.parked().await;
    assert_eq!((parked.len(), &*parked[0].2), (2, "gone"));
    room.kept.0.lock().unwrap().extend(kept.into_iter().filter(|event| event.position == Position::new(2)));
    room.ask(&mut *part, "counter-hat", ParkedAction::Discard).await;
    assert!(none(&room.parked().await));
    assert_eq!(room.sum("hat").await, 5);
}

/// How it was broken: without the lock in `asked` of `parked.rs`, it is taken, stays, and would be done to what is parked
/// under the key later.
#[tokio::test]
async fn what_is_asked_about_events_that_are_just_settled_is_not_taken() {
    let Some(mut room) = Room::new().await else { return };
    let mut part = room.part(0).await;
    part.handle(&page(0, vec![event(1, "hat", 13)])).await.unwrap();
    let settle = "BEGIN; SELECT FROM generations WHERE name = 'sums' FOR UPDATE; DELETE FROM parked";
    sqlx::raw_sql(settle).execute(&mut room.sql).await.unwrap();
    let documents = room.documents.clone();
    let asking = tokio::spawn(async move {
        let (live, _) = documents.live("sums").await.unwrap().unwrap();
        let request = ParkedRequest { key: "counter-hat".into(), action: ParkedAction::Discard };
        documents.request(&live, &request).await.unwrap()
    });
    let waiting = "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted \
                   AND pg_backend_pid() = ANY (pg_blocking_pids(a.pid))";
    while !asking.is_finished() && number(&mut room.sql, waiting).await == 0 {
        tokio::task::yield_now().await;
    }
    sqlx::raw_sql("COMMIT").execute(&mut room.sql).await.unwrap();
    assert!(!asking.await.unwrap());
}

//! C4: who wins.

use super::{
    harness::{EventStoreHarness, writers},
    making::{append, append_to, assert_conflict, at, event, events, refusal, stream},
    reading::{assert_empty, whole_stream},
};
use crate::{AppendError, Commit, Expected, Version};
use tokio::task::JoinSet;

/// How many writers race in each round, and how many rounds there are.
const RACE: (usize, u64) = (32, 20);

/// C4: of writers that expect the same version exactly one wins; the others are told the version that it made.
pub async fn c4_one_of_racing_writers_wins<H: EventStoreHarness>() {
    let harness = H::open().await;
    let hot = stream("order-hot");
    for round in 0..RACE.1 {
        let mut tasks = JoinSet::new();
        for store in writers(&harness).await.into_iter().cycle().take(RACE.0) {
            let commit = Commit::to(hot.clone(), at(round), [event(round)]);
            tasks.spawn(async move { store.append(commit).await });
        }
        let mut won = 0;
        while let Some(ended) = tasks.join_next().await {
            match ended.expect("no writer panics") {
                Ok(committed) => {
                    assert_eq!(committed.streams[0].last, Version::new(round + 1));
                    won += 1;
                }
                Err(error) => assert_conflict(&error, &hot, at(round), round + 1),
            }
        }
        assert_eq!(won, 1, "writers that won round {round}");
    }
    assert_eq!(whole_stream(&*harness.store(), &hot).await.len() as u64, RACE.1);
}

/// C4: of commits over several streams that want the same streams in different orders, one wins, and none waits for
/// another for ever.
pub async fn c4_one_of_racing_commits_over_several_streams_wins<H: EventStoreHarness>() {
    let harness = H::open().await;
    let (a, b) = (stream("order-a"), stream("order-b"));
    for round in 0..RACE.1 {
        let mut tasks = JoinSet::new();
        for (i, store) in writers(&harness).await.into_iter().cycle().take(RACE.0).enumerate() {
            let (first, second) = if i % 2 == 0 { (&a, &b) } else { (&b, &a) };
            let commit = Commit::to(first.clone(), at(round), [event(round)]).and(
                second.clone(),
                at(round),
                [event(round)],
            );
            tasks.spawn(async move { store.append(commit).await });
        }
        let mut won = 0;
        while let Some(ended) = tasks.join_next().await {
            match ended.expect("no writer panics") {
                Ok(_) => won += 1,
                Err(AppendError::Conflict { actual, .. }) => assert_eq!(actual, Version::new(round + 1)),
                Err(error) => panic!("expected a conflict, got {error:?}"),
            }
        }
        assert_eq!(won, 1, "writers that won round {round}");
    }
}

/// C4: a conflict tells what was expected and what is, also where the stream is behind or not there.
pub async fn c4_a_conflict_tells_the_actual_version<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let (a, none) = (stream("order-a"), stream("order-none"));
    assert_conflict(&refusal(store, Commit::to(a.clone(), at(1), events(1))).await, &a, at(1), 0);
    assert_empty(store).await;
    append_to(store, &a, events(3)).await;
    for wrong in [0, 1, 2, 4, u64::MAX] {
        let refused = refusal(store, Commit::to(a.clone(), at(wrong), events(2))).await;
        assert_conflict(&refused, &a, at(wrong), 3);
    }
    let refused = refusal(store, Commit::to(none.clone(), at(3), events(1))).await;
    assert_conflict(&refused, &none, at(3), 0);
    append(store, Commit::to(a.clone(), at(3), events(1))).await;
    append(store, Commit::to(a.clone(), Expected::Any, events(1))).await;
    assert_eq!(whole_stream(store, &a).await.len(), 5);
}

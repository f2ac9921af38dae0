use super::*;
use std::{
    collections::HashSet,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    task::{Context, Waker},
};

/// Connections that are numbers, counted from 1.
fn numbers(most: usize) -> Threads<u32> {
    let count = AtomicU32::new(0);
    Threads::new("numbers", most, move || Ok(count.fetch_add(1, Ordering::Relaxed) + 1))
}

#[tokio::test]
async fn one_after_the_other_all_work_is_done_on_one_thread() {
    let threads = numbers(8);
    let mut seen = HashSet::new();
    for _ in 0..50 {
        let place = |number: &mut u32| (*number, thread::current().id());
        seen.insert(threads.run(|_| true, place).await.unwrap());
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[tokio::test]
async fn no_more_work_at_once_than_was_said() {
    let (threads, busy) = (numbers(3), Arc::new(AtomicU32::new(0)));
    let work = |_| {
        let busy = busy.clone();
        threads.run(
            |_| true,
            move |_| {
                let at_once = busy.fetch_add(1, Ordering::SeqCst) + 1;
                thread::yield_now();
                busy.fetch_sub(1, Ordering::SeqCst);
                at_once
            },
        )
    };
    let seen = futures_util::future::join_all((0..100).map(work)).await;
    assert!(seen.into_iter().all(|at_once| at_once.unwrap() <= 3));
}

#[tokio::test]
async fn a_connection_that_is_not_sound_is_closed() {
    let threads = numbers(8);
    assert_eq!(threads.run(|_| false, |number| *number).await.unwrap(), 1);
    assert_eq!(threads.run(|_| true, |number| *number).await.unwrap(), 2);
}

#[tokio::test]
async fn a_panic_is_told_and_the_next_work_is_done() {
    let threads = numbers(1);
    let panicked = threads.run(|_: &()| true, |_| panic!("on purpose")).await;
    assert!(matches!(panicked, Err(Lost::Thread(_))), "{panicked:?}");
    assert_eq!(threads.run(|_| true, |number| *number).await.unwrap(), 2);
}

#[tokio::test]
async fn a_connection_that_cannot_be_opened_is_told_each_time() {
    let refuse = || Err::<(), _>(FileError::ReadOnly { path: PathBuf::from("a.db") });
    let threads = Threads::new("refused", 1, refuse);
    for _ in 0..2 {
        let refused = threads.run(|()| true, |()| ()).await;
        assert!(matches!(refused, Err(Lost::Unopened(FileError::ReadOnly { .. }))), "{refused:?}");
    }
}

// Control: with the sender kept until the answer is taken, this does not end.
#[tokio::test]
async fn closing_does_not_wait_for_who_has_not_taken_the_answer() {
    let threads = numbers(1);
    let (done, is_done) = std::sync::mpsc::channel();
    let mut answer = Box::pin(threads.run(|_| true, move |number| done.send(*number).is_ok()));
    assert!(answer.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    is_done.recv().unwrap();
    while threads.shared.idle().is_empty() {
        thread::yield_now();
    }
    threads.close();
    assert!(answer.await.unwrap());
}

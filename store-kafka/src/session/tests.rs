//! Without a broker: what is handed over stays in the client. What a broker makes of it is told in `tests/it`.

use super::*;
use std::sync::mpsc::{self, RecvTimeoutError};

/// So many bytes have the values.
const VALUE_BYTES: usize = 1 << 20;

/// So long nothing is heard of a sender that waits, once the queue may be full.
const SILENCE: Duration = Duration::from_millis(500);

/// So long the next record may take before: on a machine that is busy, silence alone says nothing.
const PATIENCE: Duration = Duration::from_secs(60);

fn session() -> Session {
    Session::idempotent(&"kafka://127.0.0.1:1".parse().unwrap(), Ends::new(), BATCH_BYTES_MAX).unwrap()
}

fn record(value: &[u8]) -> Outgoing<'_> {
    Outgoing { topic: "order", partition: 0, key: b"1", value: Some(value), headers: None }
}

/// Broken on purpose, and seen to fail this: a queue that is as large as the client makes it. Then nobody waits.
#[test]
fn whoever_sends_more_than_the_queue_takes_waits_until_it_is_given_up() {
    let session = session();
    let (given_up, (tell, sent)) = (session.given_up(), mpsc::channel());
    let sending = thread::spawn(move || {
        let value = vec![b'x'; VALUE_BYTES];
        for number in 1..=2 * QUEUE_BYTES_MAX / VALUE_BYTES {
            session.send(record(&value))?;
            tell.send(number).unwrap();
        }
        Ok::<_, KafkaFailed>(())
    });
    let most = QUEUE_BYTES_MAX / VALUE_BYTES;
    let mut last = 0;
    let end = loop {
        match sent.recv_timeout(if last < most - 1 { PATIENCE } else { SILENCE }) {
            Ok(number) => last = number,
            Err(end) => break end,
        }
    };
    assert_eq!(end, RecvTimeoutError::Timeout, "the sender waits, and has not ended after {last}");
    assert!((most - 1..=most + 1).contains(&last), "{last} of {most}");
    given_up.store(true, Ordering::Relaxed);
    let told = sending.join().unwrap().unwrap_err().to_string();
    assert!(told.contains("sending"), "{told}");
}

/// Broken on purpose, and seen to fail this: only who waits looks whether it is given up. Then the rest of a page goes
/// out beside the session that has taken its place.
#[test]
fn a_session_that_is_given_up_takes_no_more_records() {
    let session = session();
    session.send(record(b"{}")).unwrap();
    session.given_up().store(true, Ordering::Relaxed);
    assert!(session.send(record(b"{}")).is_err());
}

/// Whoever lost the lease while the broker was away does not begin when it is back, which would fence its successor
/// off.
///
/// Broken on purpose, and seen to fail this: `Session::transactional` that does not look. It goes on for a minute, then
/// tells of the broker.
#[test]
fn a_session_that_is_given_up_does_not_begin() {
    // Takes connections and answers nothing.
    let broker = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let options: KafkaOptions = format!("kafka://{}", broker.local_addr().unwrap()).parse().unwrap();
    let given_up = Arc::new(AtomicBool::new(false));
    let is_given_up = given_up.clone();
    let beginning = thread::spawn(move || {
        Session::transactional(&options, "publisher", BATCH_BYTES_MAX, &is_given_up).err()
    });
    let _connection = broker.accept().unwrap();
    given_up.store(true, Ordering::Relaxed);
    let told = beginning.join().unwrap().expect("nobody answers").to_string();
    assert!(told.contains("beginning to publish") && told.contains("Client dropped"), "{told}");
}

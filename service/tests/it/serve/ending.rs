use super::served::{Served, order};
use crate::program::{Program, only};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};
use ureq::http::Method;

const BUYERS: usize = 4;

/// So many orders are taken before the service is told to end.
const BEFORE: usize = 40;

/// Buyers send orders until the service is gone, which `signal` brings about in the middle; all orders that were taken
/// must be in the log then.
fn is_told(signal: &str) -> (Program, Option<i32>, String) {
    let program = Program::new();
    let served = Served::start(&program);
    served.receive("HAT", 1_000);
    let taken = AtomicUsize::new(0);
    let numbers: Vec<String> = thread::scope(|scope| {
        let buy = |buyer| {
            let (served, taken) = (&served, &taken);
            scope.spawn(move || {
                let mut numbers = vec![];
                for one in 0.. {
                    let key = format!("{buyer}/{one}");
                    let headers = [("content-type", "application/json"), ("idempotency-key", &*key)];
                    let body = order("HAT", 1).to_string();
                    // The service is gone, or on its way: this order may be there or not.
                    let Ok(answer) = served.send(Method::POST, "/orders", &headers, &body) else {
                        break;
                    };
                    assert_eq!(answer.status, 202, "{answer:?}");
                    numbers.push(answer.body["key"].as_str().unwrap().to_string());
                    if taken.fetch_add(1, Ordering::Relaxed) == BEFORE {
                        served.signal(signal);
                    }
                }
                numbers
            })
        };
        let buyers: Vec<_> = (0..BUYERS).map(buy).collect();
        buyers.into_iter().flat_map(|buyer| buyer.join().unwrap()).collect()
    });
    let (code, said) = served.ended();
    assert!(numbers.len() > BEFORE);
    for number in numbers {
        assert_eq!(
            program.run(["show", &format!("order-{number}"), "--json"]).code,
            Some(0),
            "{number} is lost"
        );
    }
    assert_eq!(only(program.json(["check"]))["ok"], true);
    (program, code, said)
}

#[test]
fn a_service_that_is_asked_to_end_finishes_what_it_has_begun() {
    let (program, code, said) = is_told("TERM");
    assert_eq!((code, &*said), (Some(0), ""));
    for lag in program.json(["lag"]) {
        assert_eq!(lag["holder"], serde_json::Value::Null, "the lease was given back: {lag}");
    }
}

#[test]
fn a_service_that_is_killed_has_kept_every_order_that_it_took() {
    let (program, code, _) = is_told("KILL");
    assert_eq!(code, None);
    // What was left to do is done by whoever comes next.
    let served = Served::start(&program);
    let after = served.post("/orders", "after", &order("HAT", 1));
    assert_eq!(served.decided(&after.location.unwrap())["status"], "confirmed");
}

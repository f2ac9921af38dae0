use super::served::{Served, order};
use crate::program::Program;
use serde_json::json;
use std::net::TcpListener;
use ureq::http::Method;

/// A request (method, path, headers, body), the status that it is answered with, and a part of the reason.
type Case<'a> = (Method, &'a str, &'a [(&'a str, &'a str)], &'a str, u16, &'a str);

const JSON: (&str, &str) = ("content-type", "application/json");
const KEY: (&str, &str) = ("idempotency-key", "k");

/// Whatever is refused, however it comes, is told as RFC 9457 has it.
#[test]
fn every_refusal_is_a_problem_document() {
    let program = Program::new();
    let served = Served::start(&program);
    let taken = order("HAT", 1).to_string();
    let unknown = taken.replace("customer", "custommer");
    let no_lines = json!({ "currency": "GBP", "lines": [] }).to_string();
    let large = "x".repeat(northwind::serve::BODY_BYTES_MAX + 1);
    let long_key = "k".repeat(northwind::serve::KEY_BYTES_MAX + 1);
    let long_path = format!("/orders/{}/ship", "o".repeat(10_000));
    let cases: [Case<'_>; 17] = [
        (Method::POST, "/orders", &[JSON], &taken, 400, "Idempotency-Key"),
        (Method::POST, "/orders", &[JSON, ("idempotency-key", " ")], &taken, 400, "Idempotency-Key"),
        (Method::POST, "/orders", &[JSON, ("idempotency-key", &long_key)], &taken, 400, "1 to 255"),
        (Method::POST, "/orders", &[JSON, KEY, ("idempotency-key", "l")], &taken, 400, "more than one"),
        (Method::POST, "/orders", &[KEY], &taken, 415, "application/json"),
        (Method::POST, "/orders", &[JSON, KEY], "{", 400, "EOF"),
        (Method::POST, "/orders", &[JSON, KEY], &unknown, 422, "custommer"),
        (Method::POST, "/orders", &[JSON, KEY], &no_lines, 422, "at least 1 line"),
        (Method::POST, "/orders", &[JSON, KEY], &large, 413, "length limit"),
        (Method::POST, "/orders/7/ship", &[KEY], "", 404, "not placed"),
        (Method::POST, &long_path, &[KEY], "", 400, "bytes"),
        (Method::DELETE, "/orders", &[], "", 405, "Allow"),
        (Method::GET, "/ordres", &[], "", 404, "nothing under this path"),
        (Method::GET, "/orders/7", &[], "", 404, "\"7\""),
        (Method::GET, "/orders?limit=1001", &[], "", 400, "1 to 1000"),
        (Method::GET, "/orders?offset=7", &[], "", 400, "offset"),
        (Method::GET, "/orders/%FF", &[], "", 400, "UTF-8"),
    ];
    for (method, path, headers, body, status, told) in cases {
        let answer = served.send(method, path, headers, body).unwrap();
        assert_eq!((answer.status, &*answer.kind), (status, "application/problem+json"), "{answer:?}");
        assert_eq!(answer.body["status"], status, "{answer:?}");
        assert!(answer.body["detail"].as_str().unwrap().contains(told), "{told} in {answer:?}");
    }
    // Nothing of all that has left an event.
    assert_eq!(served.get("/health").body["head"], 0);
}

#[test]
fn a_move_at_the_wrong_time_is_a_conflict() {
    let program = Program::new();
    let served = Served::start(&program);
    let placed = served.post("/orders", "k", &order("HAT", 1));
    let path = placed.location.unwrap();
    assert_eq!(served.decided(&path)["status"], "cancelled");
    let number = placed.body["key"].as_str().unwrap();
    let refused = served.post(&format!("/orders/{number}/ship"), "ship", &json!(null));
    assert_eq!((refused.status, &refused.body["type"]), (409, &json!("/problems/rejected")));
    assert_eq!(refused.body["detail"], "cannot ship an order that is cancelled");
}

#[test]
fn a_query_for_what_does_not_come_waits_no_longer_than_it_says() {
    let program = Program::new();
    let served = Served::start(&program);
    let late = served.get("/orders/7?position=1000");
    assert_eq!((late.status, &late.body["type"]), (503, &json!("/problems/try-again")), "{late:?}");
}

#[test]
fn an_address_that_cannot_be_had_is_a_clear_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = Program::new().run(["serve", "--listen", &address]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains(&address) && ran.stderr.contains("next: listen elsewhere"), "{ran:?}");
    assert_eq!(Program::new().run(["serve", "--listen", "everywhere"]).code, Some(2));
}

use super::served::{Served, order};
use crate::program::Program;
use serde_json::{Value, json};
use std::thread;

#[test]
fn an_order_is_taken_at_once_and_decided_behind() {
    let (program, key) = (Program::new(), "0195d3a0-7bd2-7000-8000-000000000001");
    let served = Served::start(&program);
    served.receive("HAT", 5);
    let taken = served.post("/orders", key, &order("hat", 2));
    assert_eq!((taken.status, &taken.body["repeated"]), (202, &Value::Bool(false)), "{taken:?}");
    let path = taken.location.unwrap();
    assert_eq!(taken.body["status_url"], *path);

    let confirmed = served.decided(&path);
    assert_eq!((&confirmed["status"], &confirmed["total_minor"]), (&json!("confirmed"), &json!(500)));
    let number = confirmed["order"].as_str().unwrap();
    for (step, status) in [("ship", "shipped"), ("deliver", "delivered"), ("return", "returned")] {
        let done = served.post(&format!("/orders/{number}/{step}"), step, &Value::Null);
        assert_eq!(done.status, 202, "{done:?}");
        assert_eq!(served.get(&done.location.unwrap()).body["status"], status);
    }
    let customer = served.get("/customer-orders/17850?position=10").body;
    assert_eq!((&customer["orders"], &customer["returns"]), (&json!(1), &json!(1)), "{customer}");
}

// Control: with `done.repeated` left out of `App::carry_out`, the changed request is answered with 202.
#[test]
fn a_request_that_is_sent_again_is_carried_out_once() {
    let program = Program::new();
    let served = Served::start(&program);
    served.receive("HAT", 5);
    let first = served.post("/orders", "k", &order("HAT", 2));
    let again = served.post("/orders", "k", &order("HAT", 2));
    assert_eq!((again.status, &again.body["repeated"]), (202, &Value::Bool(true)), "{again:?}");
    assert_eq!(again.body["key"], first.body["key"]);
    served.decided(&again.location.unwrap());
    // Also now that the rules would refuse it: the order is no longer new.
    assert_eq!(served.post("/orders", "k", &order("HAT", 2)).body["status_url"], first.body["status_url"]);

    let other = served.post("/orders", "k", &order("HAT", 3));
    assert_eq!((other.status, &other.body["type"]), (422, &json!("/problems/idempotency-key-reused")));
    assert_eq!(served.get("/orders").body["items"].as_array().unwrap().len(), 1);
    let delivery = json!({ "quantity": 7, "reference": "another one" });
    assert_eq!(served.post("/stock/HAT/receive", "delivery of HAT", &delivery).status, 422);
}

#[test]
fn a_burst_over_http_sells_each_piece_once_and_fails_for_nobody() {
    const BUYERS: usize = 16;
    const ORDERS_EACH: usize = 5;
    const PIECES: u32 = 50;
    let program = Program::new();
    let served = Served::start(&program);
    served.receive("COAT", PIECES);
    let paths: Vec<String> = thread::scope(|scope| {
        let buy = |buyer| {
            let served = &served;
            scope.spawn(move || {
                let orders = (0..ORDERS_EACH).map(|one| {
                    let answer =
                        served.post("/orders", &format!("buyer {buyer}, order {one}"), &order("COAT", 1));
                    assert_eq!(answer.status, 202, "{answer:?}");
                    answer.location.unwrap()
                });
                orders.collect::<Vec<_>>()
            })
        };
        let buyers: Vec<_> = (0..BUYERS).map(buy).collect();
        buyers.into_iter().flat_map(|buyer| buyer.join().unwrap()).collect()
    });
    let decided: Vec<Value> = paths.iter().map(|path| served.decided(path)).collect();
    let count = |status| decided.iter().filter(|order| order["status"] == status).count();
    assert_eq!(
        (count("confirmed"), count("cancelled")),
        (PIECES as usize, BUYERS * ORDERS_EACH - PIECES as usize)
    );
}

#[test]
fn lists_come_in_pages_that_lead_to_the_next() {
    let program = Program::new();
    let served = Served::start(&program);
    for sku in ["A/1", "B 2", "C&3"] {
        served.receive(&sku.replace('/', "%2F").replace(' ', "%20"), 1);
    }
    let (mut skus, mut path) = (vec![], "/stock?limit=1".to_string());
    for _ in 0..3 {
        let page = served.get(&path).body;
        skus.push(page["items"][0]["sku"].as_str().unwrap().to_string());
        path = page["next"].as_str().unwrap().to_string();
    }
    assert_eq!(skus, ["A/1", "B 2", "C&3"]);
    assert_eq!(served.get(&path).body, json!({ "items": [], "next": null }));
}

use super::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Event {
    Placed { customer: String, currency: String },
    Packed { by: String },
    Shipped { carrier: String },
    Confirmed,
}

impl DomainEvent for Event {
    const CATEGORY: &'static str = "order";
    const UPCASTS: &'static [Upcast] = &[
        Upcast::rename("Opened", 1, "Placed", 1),
        Upcast::body("Placed", 1, |mut body| {
            body["currency"] = "GBP".into();
            Ok(body)
        }),
        Upcast::split("Dispatched", 1, |body| {
            if body["packer"].is_null() {
                return Err("nobody packed it");
            }
            Ok(vec![
                ("Packed", 1, json!({ "by": body["packer"] })),
                ("Shipped", 1, json!({ "carrier": body["carrier"] })),
            ])
        }),
        Upcast::rename("Round", 1, "About", 1),
        Upcast::rename("About", 1, "Round", 1),
    ];
}

fn read_all(event_type: &str, version: u32, payload: serde_json::Value) -> Result<Vec<Event>, DecodeProblem> {
    let mut events = vec![];
    decode_parts(event_type, version, &payload.to_string(), &mut |event| events.push(event))?;
    Ok(events)
}

fn placed(currency: &str) -> Event {
    Event::Placed { customer: "c".into(), currency: currency.into() }
}

#[test]
fn old_shapes_are_read_as_todays() {
    let body = json!({ "customer": "c" });
    assert_eq!(
        read_all("Placed", 2, json!({ "customer": "c", "currency": "EUR" })).unwrap(),
        [placed("EUR")]
    );
    assert_eq!(read_all("Placed", 1, body.clone()).unwrap(), [placed("GBP")]);
    assert_eq!(read_all("Opened", 1, body).unwrap(), [placed("GBP")], "renamed, then changed");
    assert_eq!(
        read_all("Dispatched", 1, json!({ "packer": "eve", "carrier": "van" })).unwrap(),
        [Event::Packed { by: "eve".into() }, Event::Shipped { carrier: "van".into() }],
        "one became two, in order"
    );
}

#[test]
fn what_cannot_be_read_says_why() {
    let problem = |event_type, version, body| read_all(event_type, version, body).unwrap_err();
    assert!(matches!(problem("Weighed", 1, json!({})), DecodeProblem::UnknownType));
    assert!(matches!(problem("Confirmed", 2, json!({})), DecodeProblem::NewerSchema { stored: 2, known: 1 }));
    assert!(matches!(problem("Placed", 3, json!({})), DecodeProblem::NewerSchema { stored: 3, known: 2 }));
    assert!(matches!(problem("Placed", 2, json!({})), DecodeProblem::Body(_)));
    assert!(problem("Dispatched", 1, json!({})).to_string().contains("nobody packed it"));
    assert!(problem("Round", 1, json!({})).to_string().contains("circles"));
    assert!(matches!(problem("Opened", 2, json!({})), DecodeProblem::UnknownType | DecodeProblem::Body(_)));
}

#[test]
fn a_type_is_written_one_past_its_last_step() {
    assert_eq!(current_version(Event::UPCASTS, "Placed"), 2);
    assert_eq!(current_version(Event::UPCASTS, "Confirmed"), 1);
}

#[test]
fn a_chain_with_a_hole_is_not_whole() {
    const STEP: fn(Value) -> Result<Value, &'static str> = Ok;
    assert!(is_whole(&[Upcast::body("A", 1, STEP), Upcast::body("B", 1, STEP), Upcast::body("A", 2, STEP)]));
    assert!(!is_whole(&[Upcast::body("A", 2, STEP)]));
    assert!(!is_whole(&[Upcast::body("A", 1, STEP), Upcast::body("A", 3, STEP)]));
}

//! Under which id a command is sent: made of all that it says, so that the same invoice is recognised as the same and
//! another one under its number reaches the domain, which refuses it.

use super::invoice::Head;
use annals::CommandId;
use chrono::{DateTime, Utc};
use northwind_aggregates::{Charge, Line, Sku};
use serde::Serialize;

/// The id of the order or return (`kind`) of an invoice.
pub(super) fn bill_id(
    kind: &str,
    number: &str,
    head: &Head,
    lines: &[Line],
    charges: &[Charge],
) -> CommandId {
    // Field by field, not as the types would be written: a field that they gain must not change the ids of old files.
    let lines: Vec<_> = lines
        .iter()
        .map(|Line { line, sku, description, quantity, unit_price_minor }| {
            (line, sku.as_str(), description, quantity, unit_price_minor)
        })
        .collect();
    let charges: Vec<_> = charges
        .iter()
        .map(|Charge { line, code, description, quantity, amount_minor }| {
            (line, code, description, quantity, amount_minor)
        })
        .collect();
    let Head { customer, country, occurred_at } = head;
    let key = key(&("import", kind, number, customer, country, time(*occurred_at), lines, charges));
    CommandId::of_key_at(&key, *occurred_at)
}

/// The id of a stock adjustment. It is made of its own line alone, wherever that stands: `copy` counts from 1 the lines
/// of the invoice that say just the same.
pub(super) fn adjustment_id(said: &str, copy: u32, occurred_at: DateTime<Utc>) -> CommandId {
    CommandId::of_key_at(&key(&(said, copy)), occurred_at)
}

/// All that the line of a stock adjustment says.
pub(super) fn adjustment(
    number: &str,
    sku: &Sku,
    delta: i64,
    reason: &str,
    occurred_at: DateTime<Utc>,
) -> String {
    key(&("import", "adjustment", number, sku.as_str(), delta, reason, time(occurred_at)))
}

/// As JSON: where one part ends and the next begins is plain.
fn key(parts: &impl Serialize) -> String {
    serde_json::to_string(parts).expect("texts and numbers can be written")
}

/// Seconds and nanoseconds: no rounding, no choice of format.
fn time(at: DateTime<Utc>) -> (i64, u32) {
    (at.timestamp(), at.timestamp_subsec_nanos())
}

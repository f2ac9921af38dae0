//! Random names, payloads and events, for properties of stores and of whatever reads from them.

use crate::{EventData, EventId, Json, KEY_BYTES_MAX, StreamId};
use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

/// The deepest nesting of a random JSON text.
const DEPTH_MAX: u32 = 4;

/// Keys of streams: 1 to [`KEY_BYTES_MAX`] bytes of any characters but NUL.
pub fn key() -> impl Strategy<Value = String> {
    let character = any::<char>().prop_filter("a key holds no NUL", |c| *c != '\0');
    vec(character, 1..=KEY_BYTES_MAX / 4).prop_map(String::from_iter)
}

/// Tenants and categories.
pub fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9_]{0,63}"
}

/// Streams of any category and key, with and without a tenant.
pub fn stream() -> impl Strategy<Value = StreamId> {
    (option::of(name()), name(), key())
        .prop_filter_map("names that make a stream", |(tenant, category, key)| {
            StreamId::of(tenant.as_deref(), &category, key).ok()
        })
}

/// JSON texts of any shape, with white space and escapes that a parser would drop.
pub fn json() -> impl Strategy<Value = Json> {
    value().prop_map(Json::stored)
}

/// Events of any type and payload, under ids of their own.
pub fn event() -> impl Strategy<Value = EventData> {
    (any::<u128>(), key(), 1..=i32::MAX as u32, json(), json()).prop_map(
        |(id, name, version, payload, metadata)| {
            EventData::raw(EventId::new(Uuid::from_u128(id)), &*name, version, payload)
                .with_metadata(metadata)
        },
    )
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        select(vec!["null", "true", "false", "0", "-0", "1.0", "1E+2", "0.10", "1e400"])
            .prop_map(String::from),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u128>().prop_map(|number| number.to_string()),
        text(),
    ];
    leaf.prop_recursive(DEPTH_MAX, 32, 6, |inner| {
        let member = (text(), space(), inner.clone())
            .prop_map(|(name, space, value)| format!("{name}{space}:{value}"));
        let list = vec(inner, 0..6).prop_map(|items| ("[", items, "]"));
        let object = vec(member, 0..6).prop_map(|members| ("{", members, "}"));
        (prop_oneof![list, object], space()).prop_map(|((open, parts, close), space)| {
            format!("{open}{space}{}{space}{close}", parts.join(&format!(",{space}")))
        })
    })
}

/// A string, some of its characters escaped that need not be.
fn text() -> impl Strategy<Value = String> {
    let plain = any::<String>().prop_map(|text| serde_json::Value::String(text).to_string());
    prop_oneof![
        plain,
        select(vec![r#""\u0041\/""#, r#""\ud83d\ude00""#, r#""\u0000""#, r#""\\u0000""#])
            .prop_map(String::from)
    ]
}

fn space() -> impl Strategy<Value = &'static str> {
    select(vec!["", "", " ", "\n", "\t \r\n"])
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest! {
        #[test]
        fn random_json_is_json_and_random_streams_parse_back(json in json(), stream in stream()) {
            prop_assert!(Json::parse(json.as_str()).is_ok(), "{json}");
            prop_assert_eq!(stream.as_str().parse::<StreamId>(), Ok(stream));
        }
    }
}

//! JSON text, kept as it was written.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Number, Value, value::RawValue};
use std::{
    fmt,
    sync::{Arc, LazyLock},
};

/// JSON text, kept byte for byte and never parsed twice. Cloning counts a reference.
///
/// An own type because `serde_json`'s `RawValue` is parsed again whenever it is made from text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(Arc<str>);

impl Json {
    /// The JSON of `value`.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        Ok(Self(serde_json::to_string(value)?.into()))
    }

    /// `text`, if it is JSON.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<&RawValue>(text)?;
        Ok(Self(text.into()))
    }

    /// `text` that was checked when it was stored: for stores, which hand back what they were given.
    pub fn stored(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The empty object. Allocates nothing: stores make it for every event that they read.
    pub fn empty() -> Self {
        static EMPTY: LazyLock<Json> = LazyLock::new(|| Json("{}".into()));
        EMPTY.clone()
    }

    /// Reads the value.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The length of the text, in bytes.
    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    /// Whether both say the same: the order of keys, white space, escapes and the form of numbers (`1`, `1.0`,
    /// `10e-1`) do not count. Text that is no JSON says the same as the same text only.
    pub fn same_value(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        match (self.read(), other.read()) {
            (Ok(a), Ok(b)) => same_value(&a, &b),
            _ => false,
        }
    }

    /// Whether a string or key in it holds U+0000. A backslash before `u0000` that is itself escaped makes none.
    pub fn holds_nul(&self) -> bool {
        let mut rest = &*self.0;
        while let Some(at) = rest.find('\\') {
            if rest[at + 1..].starts_with("u0000") {
                return true;
            }
            // Past the backslash and what it escapes, which is ASCII in JSON.
            rest = rest.get(at + 2..).unwrap_or_default();
        }
        self.0.contains('\0')
    }
}

fn same_value(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same_value(a, b)))
        }
        _ => a == b,
    }
}

fn same_number(a: &Number, b: &Number) -> bool {
    let whole = |n: &Number| {
        let float = || n.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 2f64.powi(64)).map(|f| f as i128);
        n.as_i128().or_else(float)
    };
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a.as_f64() == b.as_f64(),
        _ => false,
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    #[test]
    fn the_form_of_a_value_does_not_count_but_the_value_does() {
        for (a, b) in [
            (r#"{"a":1,"b":[2.50]}"#, r#"{ "b": [2.5], "a": 1.0 }"#),
            ("100", "1e2"),
            ("-0", "0.0"),
            (r#""\u00e9""#, "\"é\""),
        ] {
            assert!(json(a).same_value(&json(b)), "{a} {b}");
        }
        for (a, b) in [
            ("9007199254740993", "9007199254740992"),
            ("18446744073709551615", "18446744073709551614"),
            ("1", "\"1\""),
            ("[1,2]", "[2,1]"),
            ("[1]", "[1,1]"),
            (r#"{"a":null}"#, "{}"),
            (r#"{"a":null}"#, r#"{"b":null}"#),
            ("0.1", "0.2"),
            ("0.5", "0"),
        ] {
            assert!(!json(a).same_value(&json(b)), "{a} {b}");
        }
    }

    #[test]
    fn a_nul_is_found_in_strings_and_keys_but_not_behind_an_escaped_backslash() {
        for text in [r#""\u0000""#, r#"{"\u0000":1}"#, r#""\\\u0000""#, r#""a\"é\u0000b""#] {
            assert!(json(text).holds_nul(), "{text}");
        }
        for text in
            [r#""\\u0000""#, r#""u0000""#, r#""\u00001""#.replace("0000", "0001").as_str(), r#""\\\\u0000""#]
        {
            assert!(!json(text).holds_nul(), "{text}");
        }
        assert!(Json::stored("\"\0\"").holds_nul());
    }
}

//! JSON text, kept as it was written.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Number, Value, value::RawValue};
use std::{
    fmt,
    hash::{Hash, Hasher},
    ops::Range,
    sync::{Arc, LazyLock},
};

/// JSON text, kept byte for byte and never parsed twice. Cloning counts a reference.
///
/// An own type because `serde_json`'s `RawValue` is parsed again whenever it is made from text, and because a store
/// reads many at once: they then share one allocation.
#[derive(Clone)]
pub struct Json {
    shared: Arc<str>,
    start: u32,
    end: u32,
}

impl Json {
    /// The JSON of `value`.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        Ok(Self::stored(serde_json::to_string(value)?))
    }

    /// `text`, if it is JSON.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<&RawValue>(text)?;
        Ok(Self::stored(text))
    }

    /// `text` that was checked when it was stored: for stores, which hand back what they were given.
    ///
    /// # Panics
    /// When it has 4 GiB or more; no store keeps so much in one event or document.
    pub fn stored(text: impl Into<Arc<str>>) -> Self {
        let shared = text.into();
        let whole = 0..shared.len();
        Self::part(&shared, whole)
    }

    /// As [`stored`](Self::stored), a part of what a store has read at once. Keeps all of `shared`: for what is read to
    /// be handled, not to be kept.
    ///
    /// # Panics
    /// When `range` is no range of characters in `shared`, or ends behind 4 GiB.
    pub fn part(shared: &Arc<str>, range: Range<usize>) -> Self {
        assert!(shared.get(range.clone()).is_some(), "bytes {range:?} are no part of the text");
        let place = |at| u32::try_from(at).expect("JSON ends before 4 GiB");
        Self { shared: shared.clone(), start: place(range.start), end: place(range.end) }
    }

    /// The empty object. Allocates nothing: stores make it for every event that they read.
    pub fn empty() -> Self {
        static EMPTY: LazyLock<Json> = LazyLock::new(|| Json::stored("{}"));
        EMPTY.clone()
    }

    /// Reads the value.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.as_str())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.shared[self.start as usize..self.end as usize]
    }

    /// The length of the text, in bytes.
    pub fn bytes(&self) -> usize {
        (self.end - self.start) as usize
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
        let mut rest = self.as_str();
        while let Some(at) = rest.find('\\') {
            if rest[at + 1..].starts_with("u0000") {
                return true;
            }
            // Past the backslash and what it escapes, which is ASCII in JSON.
            rest = rest.get(at + 2..).unwrap_or_default();
        }
        self.as_str().contains('\0')
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

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Json {}

impl Hash for Json {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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

    #[test]
    fn a_part_is_as_good_as_a_text_of_its_own() {
        let shared: Arc<str> = r#"{"a":1}{"ä":2}"#.into();
        let (first, second) = (Json::part(&shared, 0..7), Json::part(&shared, 7..15));
        assert_eq!((first.as_str(), second.as_str()), (r#"{"a":1}"#, r#"{"ä":2}"#));
        assert_eq!((&first, first.bytes()), (&json(r#"{"a":1}"#), 7));
        assert_ne!(first, second);
        let hash = |json: &Json| {
            let mut hasher = std::hash::DefaultHasher::new();
            json.hash(&mut hasher);
            hasher.finish()
        };
        assert_eq!(hash(&second), hash(&json(r#"{"ä":2}"#)));
    }
}

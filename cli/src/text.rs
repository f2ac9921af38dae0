//! Text from stores, as it may be shown.

use annals::Json;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// `text` without signs that steer a terminal or turn the direction of writing: those are shown as escapes.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return text.into();
    }
    let escaped = |c: char| if steers(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect::<String>().into()
}

fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// JSON on one line, as it was stored otherwise; text that is no JSON becomes a string.
pub(crate) fn raw(json: &Json) -> Box<RawValue> {
    // Line breaks stand only between the parts of JSON, never in a string.
    let one_line = json.as_str().replace(['\n', '\r'], " ");
    RawValue::from_string(one_line).unwrap_or_else(|_| {
        let quoted = serde_json::Value::from(json.as_str()).to_string();
        RawValue::from_string(quoted).expect("a quoted string is JSON")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown_and_not_obeyed() {
        assert_eq!(plain("a\u{1b}[2Jb\u{202e}c é 😀"), "a\\u{1b}[2Jb\\u{202e}c é 😀");
        assert!(matches!(plain("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn stored_json_is_one_line_whatever_it_is() {
        assert_eq!(raw(&Json::stored("{\n \"a\":\r1.50}")).get(), "{  \"a\": 1.50}");
        assert_eq!(raw(&Json::stored("no json \"\n")).get(), r#""no json \"\n""#);
    }
}

//! Documents of any shape, field by field.

use super::Document;
use crate::text::raw;
use annals::Json;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::fmt;

/// The fields of a document, in the order they are stored in.
pub(super) struct Fields(Vec<(String, Box<RawValue>)>);

/// Whether documents hold their key, in whatever field.
pub(super) struct KeyField {
    is_held: bool,
}

impl KeyField {
    /// Looks at some documents of a read model: one field must hold the key in all of them.
    pub(super) fn of(documents: &[Document]) -> Self {
        let mut held: Option<Vec<String>> = None;
        for (key, document) in documents {
            let Some(fields) = Fields::read(document) else { return Self { is_held: false } };
            let holds = |name: &String| fields.get(name).is_some_and(|value| text_of(value) == **key);
            held = Some(match held {
                None => fields.0.iter().map(|(name, _)| name.clone()).filter(holds).collect(),
                Some(names) => names.into_iter().filter(holds).collect(),
            });
        }
        Self { is_held: held.is_some_and(|names| !names.is_empty()) }
    }

    /// The document as it is stored, on one line; with its key in front where it does not hold it.
    pub(super) fn put_in(&self, key: &str, document: &Json) -> String {
        let text = raw(document).get().to_string();
        let key = serde_json::Value::from(key);
        match Fields::read(document) {
            Some(fields) if self.is_held || fields.get("key").is_some() => text,
            Some(fields) => {
                let rest = text.trim_start().trim_start_matches('{');
                let comma = if fields.0.is_empty() { "" } else { "," };
                format!("{{\"key\":{key}{comma}{rest}")
            }
            None => format!("{{\"key\":{key},\"value\":{text}}}"),
        }
    }

    /// The same as fields.
    pub(super) fn fields(&self, key: &str, document: &Json) -> Fields {
        Fields::read(&Json::stored(self.put_in(key, document))).unwrap_or(Fields(vec![]))
    }
}

impl Fields {
    /// None when the document is no object.
    fn read(document: &Json) -> Option<Self> {
        document.read().ok()
    }

    fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// What stands under a title, in short.
    pub(super) fn cell(&self, title: &str) -> String {
        self.get(title).map_or_else(String::new, short)
    }

    /// Name and value of each field, in full.
    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        self.0.iter().map(|(name, value)| vec![name.clone(), text_of(value)]).collect()
    }
}

/// The names of all fields, in the order in which they are first met.
pub(super) fn titles(documents: &[Fields]) -> Vec<String> {
    let mut titles: Vec<String> = vec![];
    for (name, _) in documents.iter().flat_map(|fields| &fields.0) {
        if !titles.contains(name) {
            titles.push(name.clone());
        }
    }
    titles
}

/// What has no value is left blank, and lists are counted.
fn short(value: &RawValue) -> String {
    match value.get().as_bytes().first() {
        Some(b'n') => String::new(),
        Some(b'[') => match serde_json::from_str::<Vec<IgnoredAny>>(value.get()).map_or(0, |list| list.len())
        {
            0 => String::new(),
            1 => "1 item".into(),
            many => format!("{many} items"),
        },
        _ => text_of(value),
    }
}

/// Strings bare, everything else as JSON.
fn text_of(value: &RawValue) -> String {
    serde_json::from_str::<String>(value.get()).unwrap_or_else(|_| value.get().to_string())
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = vec![];
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(all: &[(&str, &str)]) -> Vec<Document> {
        all.iter().map(|(key, text)| ((*key).into(), Json::stored(*text))).collect()
    }

    #[test]
    fn a_document_is_printed_as_stored_when_it_holds_its_key() {
        let stored =
            documents(&[("A", r#"{"sku":"A","z":1.50,"b":"A"}"#), ("B", r#"{"sku":"B","z":2,"b":"A"}"#)]);
        let field = KeyField::of(&stored);
        assert_eq!(field.put_in("A", &stored[0].1), r#"{"sku":"A","z":1.50,"b":"A"}"#);
    }

    #[test]
    fn the_key_is_added_where_the_documents_do_not_hold_it() {
        // The first holds its key by chance.
        let stored =
            documents(&[("GBP", r#"{"currency":"GBP"}"#), ("x\"y", r#"{"currency":"GBP"}"#), ("e", "{}")]);
        let field = KeyField::of(&stored);
        let printed: Vec<String> = stored.iter().map(|(key, document)| field.put_in(key, document)).collect();
        let wanted =
            [r#"{"key":"GBP","currency":"GBP"}"#, r#"{"key":"x\"y","currency":"GBP"}"#, r#"{"key":"e"}"#];
        assert_eq!(printed, wanted);
    }

    #[test]
    fn a_cell_says_in_short_what_a_field_holds() {
        let fields = Fields::read(&Json::stored(
            r#"{"a":null,"b":[],"c":[1],"d":[1,2],"e":"x","f":{"g":1},"h":1.50}"#,
        ));
        let fields = fields.unwrap();
        let cells: Vec<String> =
            "abcdefgh".chars().map(String::from).map(|name| fields.cell(&name)).collect();
        assert_eq!(cells, ["", "", "1 item", "2 items", "x", r#"{"g":1}"#, "", "1.50"]);
    }

    #[test]
    fn what_is_no_object_becomes_one() {
        let stored = documents(&[("a", "7")]);
        assert_eq!(KeyField::of(&stored).put_in("a", &stored[0].1), r#"{"key":"a","value":7}"#);
    }
}

//! One golden file.

use crate::Json;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use std::{
    fmt, fs,
    io::{self, Write},
    path::Path,
};

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Golden {
    stored: Box<RawValue>,
    reads_as: Vec<ReadsAs>,
}

/// An event as it is read today.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadsAs {
    #[serde(rename = "type")]
    event_type: String,
    payload: Box<RawValue>,
}

/// What is wrong with a golden file.
#[derive(Debug)]
pub(super) enum Problem {
    Missing,
    NoSample,
    MissingOldShape,
    Misnamed,
    NoEnum,
    Unwritable(io::Error),
    Unreadable(io::Error),
    NoGolden(serde_json::Error),
    Undecodable(String),
    ReadsOtherwise { expected: String, today: String },
}

impl Golden {
    pub(super) fn of(stored: &Json, reads_as: Vec<ReadsAs>) -> Self {
        Self { stored: raw(stored), reads_as }
    }

    pub(super) fn stored(&self) -> &str {
        self.stored.get()
    }

    /// Whether it still says what it said; it may say more.
    pub(super) fn compare(&self, today: &[ReadsAs]) -> Result<(), Problem> {
        let same = self.reads_as.len() == today.len()
            && self.reads_as.iter().zip(today).all(|(expected, today)| expected.holds_in(today));
        if same {
            return Ok(());
        }
        let text = |events: &[ReadsAs]| serde_json::to_string(events).unwrap_or_else(|e| e.to_string());
        Err(Problem::ReadsOtherwise { expected: text(&self.reads_as), today: text(today) })
    }
}

impl ReadsAs {
    pub(super) fn new(event_type: &str, payload: &Json) -> Self {
        Self { event_type: event_type.into(), payload: raw(payload) }
    }

    fn holds_in(&self, today: &Self) -> bool {
        let value = |raw: &RawValue| serde_json::from_str::<Value>(raw.get()).ok();
        self.event_type == today.event_type
            && value(&self.payload)
                .zip(value(&today.payload))
                .is_some_and(|(expected, today)| holds_in(&expected, &today))
    }
}

/// Whether `today` says all that `expected` does: members that came later do not count.
fn holds_in(expected: &Value, today: &Value) -> bool {
    match (expected, today) {
        (Value::Object(expected), Value::Object(today)) => expected
            .iter()
            .all(|(name, expected)| today.get(name).is_some_and(|today| holds_in(expected, today))),
        (Value::Array(expected), Value::Array(today)) => {
            expected.len() == today.len() && expected.iter().zip(today).all(|(e, t)| holds_in(e, t))
        }
        _ => expected == today,
    }
}

fn raw(json: &Json) -> Box<RawValue> {
    RawValue::from_string(json.as_str().into()).expect("the codec writes JSON")
}

/// `Placed.1.json`: the type, which may hold dots itself, and the schema version.
pub(super) fn parse_name(name: &str) -> Option<(&str, u32)> {
    let (event_type, version) = name.strip_suffix(".json")?.rsplit_once('.')?;
    let number: u32 = version.parse().ok()?;
    // One file per version: `+1` and `01` would be second ones.
    (number > 0 && version == number.to_string()).then_some((event_type, number))
}

pub(super) fn read(path: &Path) -> Result<Golden, Problem> {
    let text = fs::read_to_string(path).map_err(Problem::Unreadable)?;
    serde_json::from_str(&text).map_err(Problem::NoGolden)
}

/// Writes a file that is not there. One that is there stays as it is, whoever made it meanwhile.
pub(super) fn write_new(path: &Path, golden: &Golden) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut text = serde_json::to_string_pretty(golden)?;
    text.push('\n');
    fs::File::create_new(path)?.write_all(text.as_bytes())
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let package = std::env::var("CARGO_PKG_NAME").unwrap_or_else(|_| "PACKAGE".into());
        match self {
            Self::Missing => write!(
                f,
                "is missing: run `{}=1 cargo test -p {package}`, look at what it writes, and commit it",
                super::WRITE_GOLDEN
            ),
            Self::NoSample => f.write_str(
                "is missing, and no sample is of that type: give one, or write the file by hand if the name is an alias",
            ),
            Self::MissingOldShape => f.write_str(
                "is missing, and no program writes that shape any more: write the file by hand, with the payload as it \
                 was stored then: {\"stored\": …, \"reads_as\": [{\"type\": …, \"payload\": …}]}",
            ),
            Self::Misnamed => f.write_str("is no name of a golden file: expected TYPE.SCHEMA-VERSION.json"),
            Self::NoEnum => f.write_str("must be an enum without serde's tag or untagged"),
            Self::Unwritable(error) => write!(f, "cannot be written: {error}"),
            Self::Unreadable(error) => write!(f, "cannot be read: {error}"),
            Self::NoGolden(error) => write!(f, "is no golden file: {error}"),
            Self::Undecodable(problem) => write!(
                f,
                "{problem}: such events are stored and must be read for ever, so give the change an upcast"
            ),
            Self::ReadsOtherwise { expected, today } => write!(
                f,
                "reads as something else\n    expected: {expected}\n    today:    {today}\n    if that is what a new \
                 upcast means, change `reads_as` by hand; never change `stored`"
            ),
        }
    }
}

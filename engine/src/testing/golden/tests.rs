use super::*;
use serde::{Deserialize, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How the events were at first.
mod first {
    use super::*;

    #[derive(Serialize, Deserialize)]
    pub(super) enum Event {
        Opened {
            customer: String,
        },
        #[serde(rename = "line.added")]
        LineAdded(u32),
        Closed,
    }

    impl DomainEvent for Event {
        const CATEGORY: &'static str = "order";
    }

    pub(super) fn samples() -> Vec<Event> {
        vec![
            Event::Opened { customer: "c-1".into() },
            Event::LineAdded(3),
            Event::Closed,
            Event::LineAdded(4),
        ]
    }
}

/// How they are after some changes, all of which keep what is stored.
mod later {
    use super::*;
    use serde_json::json;

    #[derive(Serialize, Deserialize)]
    pub(super) enum Event {
        Placed {
            customer: String,
            #[serde(default)]
            note: Option<String>,
        },
        #[serde(rename = "line.added")]
        LineAdded { quantity: u32 },
        Closed {
            #[serde(default)]
            reason: String,
        },
    }

    impl DomainEvent for Event {
        const CATEGORY: &'static str = "order";
        const UPCASTS: &'static [Upcast] = &[
            Upcast::rename("Opened", 1, "Placed", 1),
            Upcast::body("line.added", 1, |body| Ok(json!({ "quantity": body }))),
        ];
    }

    pub(super) fn samples() -> Vec<Event> {
        vec![
            Event::Placed { customer: "c-2".into(), note: None },
            Event::LineAdded { quantity: 5 },
            Event::Closed { reason: "late".into() },
        ]
    }
}

/// A change that breaks what is stored: a member was renamed, without an upcast.
mod broken {
    use super::*;

    #[derive(Serialize, Deserialize)]
    pub(super) enum Event {
        Opened {
            buyer: String,
        },
        #[serde(rename = "line.added")]
        LineAdded(u32),
        Closed,
    }

    impl DomainEvent for Event {
        const CATEGORY: &'static str = "order";
    }
}

fn problems<E: DomainEvent>(folder: &Path, samples: Vec<E>, write: bool) -> Vec<(String, String)> {
    let found = check::<E>(folder, samples, write);
    found.into_iter().map(|(file, problem)| (file, problem.to_string())).collect()
}

fn names(problems: &[(String, String)]) -> Vec<&str> {
    problems.iter().map(|(name, _)| name.as_str()).collect()
}

/// A folder with the golden files of the first events.
fn written() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(problems(folder.path(), first::samples(), true), []);
    folder
}

#[test]
fn what_is_missing_is_told_and_written_on_demand_only() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("order");
    let missing = problems(&inside, first::samples(), false);
    assert_eq!(names(&missing), ["Closed.1.json", "Opened.1.json", "line.added.1.json"]);
    assert!(missing[0].1.contains("ANNALS_WRITE_GOLDEN=1 cargo test -p annals"), "{missing:?}");
    assert!(!inside.exists(), "nothing is written unasked");
    assert_eq!(problems(&inside, first::samples(), true), []);
    assert_eq!(problems(&inside, first::samples(), false), []);
    assert_eq!(
        problems(&inside, Vec::<first::Event>::new(), false),
        [],
        "samples are for missing files only"
    );
    let text = fs::read_to_string(inside.join("line.added.1.json")).unwrap();
    assert!(text.contains("\"stored\": 3,"), "the first sample of a type counts: {text}");
}

#[test]
fn a_file_that_exists_is_never_written() {
    let folder = written();
    let path = folder.path().join("Opened.1.json");
    let by_hand =
        r#"{"stored":{"customer":"c-9"},"reads_as":[{"type":"Opened","payload":{"customer":"c-9"}}]}"#;
    fs::write(&path, by_hand).unwrap();
    assert_eq!(problems(folder.path(), first::samples(), true), []);
    assert_eq!(fs::read_to_string(&path).unwrap(), by_hand);
    fs::write(&path, "nonsense").unwrap();
    assert_eq!(names(&problems(folder.path(), first::samples(), true)), ["Opened.1.json"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), "nonsense");
}

#[test]
fn upcasts_and_fields_with_a_default_keep_old_files_readable() {
    let folder = written();
    let first = problems(folder.path(), later::samples(), true);
    // The upcasts change what the old files mean today: somebody has to look.
    assert_eq!(names(&first), ["Opened.1.json", "line.added.1.json"]);
    assert!(first[0].1.contains(r#"today:    [{"type":"Placed""#), "{first:?}");
    for (file, from, to) in [
        ("Opened.1.json", "\"type\": \"Opened\"", "\"type\": \"Placed\""),
        ("line.added.1.json", "\"payload\": 3", "\"payload\": {\"quantity\": 3}"),
    ] {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace(from, to)).unwrap();
    }
    assert_eq!(problems(folder.path(), later::samples(), false), []);
    // Written meanwhile: today's shapes. `Closed` only got a field with a default.
    for file in ["Placed.1.json", "line.added.2.json", "Closed.1.json"] {
        assert!(folder.path().join(file).exists(), "{file}");
    }
}

#[test]
fn a_change_that_cannot_read_what_is_stored_is_noticed() {
    let folder = written();
    let samples = vec![
        broken::Event::Opened { buyer: "c-1".into() },
        broken::Event::LineAdded(1),
        broken::Event::Closed,
    ];
    let found = problems(folder.path(), samples, true);
    assert_eq!(names(&found), ["Opened.1.json"]);
    assert!(found[0].1.contains("buyer") && found[0].1.contains("upcast"), "{found:?}");
}

#[test]
fn an_old_shape_without_a_file_is_noticed_even_when_writing() {
    let folder = tempfile::tempdir().unwrap();
    let found = problems(folder.path(), later::samples(), true);
    assert_eq!(names(&found), ["Opened.1.json", "line.added.1.json"]);
    assert!(found[0].1.contains("by hand"), "{found:?}");
}

#[test]
fn a_type_without_a_sample_and_files_that_are_none_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    for stray in ["Closed.0.json", "Closed.01.json", "notes.txt", "Unknown.1.json", "Closed.2.json"] {
        fs::write(folder.path().join(stray), r#"{"stored":{},"reads_as":[]}"#).unwrap();
    }
    let found = problems(folder.path(), vec![first::Event::Closed, first::Event::LineAdded(1)], true);
    assert_eq!(
        names(&found),
        ["Closed.0.json", "Closed.01.json", "Closed.2.json", "Opened.1.json", "Unknown.1.json", "notes.txt"]
    );
    assert!(found[3].1.contains("no sample"), "{found:?}");
}

#[test]
fn the_test_of_a_domain_fails_with_all_problems_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let failed =
        catch_unwind(AssertUnwindSafe(|| assert_golden(folder.path(), first::samples(), false))).unwrap_err();
    let text = failed.downcast_ref::<String>().unwrap();
    assert!(text.contains("Closed.1.json is missing") && text.contains("Opened.1.json is missing"), "{text}");
}

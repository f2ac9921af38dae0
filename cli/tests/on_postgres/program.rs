//! The program `annals`, on a log that another program has written.

use crate::{
    counters::{Shop, objects},
    stores,
};
use annals_cli::{Access, Global, Stores};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

/// How long a follower may take to print what another process has appended.
const FOLLOWED_MAX: Duration = Duration::from_secs(20);

fn command(line: &str, url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_annals"));
    command.args(line.split_whitespace()).args(["--store", url]).stdin(Stdio::null());
    command
}

/// Runs it; what it printed, said, and ended with.
fn annals(line: &str, url: &str) -> (String, String, Option<i32>) {
    let done = command(line, url).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(done.stdout), text(done.stderr), done.status.code())
}

fn json(line: &str, url: &str) -> Vec<Value> {
    let (printed, said, code) = annals(&format!("{line} --json"), url);
    assert_eq!((&*said, code), ("", Some(0)), "{line}");
    objects(&printed)
}

#[tokio::test]
async fn a_log_is_looked_into_without_its_domain() {
    let Some(url) = stores::url() else { return };
    let shop = Shop::on(stores::at(&url).await);
    for by in [1, 13, 2] {
        shop.raise("a", by).await;
    }
    shop.drain().await;
    assert_eq!(json("streams", &url)[0], json!({"stream": "counter-a", "version": 3}));
    let shown = json("show counter-a --version 2", &url).remove(0);
    assert_eq!((&shown["state"], &shown["version"]), (&json!(null), &json!(2)));
    assert_eq!(json("tail --last 2", &url).len(), 2);
    let checked = json("check", &url).remove(0);
    assert_eq!((&checked["ok"], &checked["settings"]["durable"]), (&json!(true), &json!(true)), "{checked}");
    let settings = &checked["settings"];
    for (key, value) in [
        ("store", "postgres"),
        ("fsync", "on"),
        ("synchronous", "on"),
        ("full_page_writes", "on"),
        ("isolation", "read committed"),
        ("right", "superuser"),
        ("role", "annals"),
        ("tls", "none"),
        ("pooler", "none"),
    ] {
        assert_eq!(settings[key], value, "{settings}");
    }
    assert_eq!(settings["connections_max"], 11);
    assert_eq!(checked["read_models"]["connections_max"], 8);
    assert!(url.ends_with(settings["schema"].as_str().unwrap()), "{settings}");
    assert_eq!(settings["path"], url.as_str());
    let names: Vec<_> = json("projections", &url).iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["mirror", "totals"]);
    assert_eq!(json("parked list", &url).len(), 4);
    assert_eq!(json("lag", &url).len(), 2);
    let (text, _, code) = annals("check", &url);
    assert!(
        text.contains("fsync on, full_page_writes on, isolation read committed") && code == Some(0),
        "{text}"
    );
}

/// Control: with the settings of the log in place of those of the read models, the store is `sqlite`.
#[tokio::test]
async fn check_tells_what_read_models_lie_on_that_lie_elsewhere() {
    let Some(url) = stores::url() else { return };
    let directory = tempfile::tempdir().unwrap();
    let log = format!("sqlite:{}", directory.path().join("shop.db").display());
    let line = format!("check --json --read-models {url}");
    let global = Global { store: Some(log.clone().into()), ..Global::default() };
    let service = crate::counters::service(Default::default());
    drop(Stores::open(&service, &global, Access::Create).await.unwrap());
    let without = objects(&annals(&line, &log).0).remove(0);
    assert_eq!(without["read_models"], json!(null), "looking makes none");

    let global = Global { read_models: Some(url.clone().into()), ..global };
    drop(Stores::open(&service, &global, Access::Create).await.unwrap());
    let checked = objects(&annals(&line, &log).0).remove(0);
    let (settings, schema) = (&checked["read_models"], url.rsplit_once('=').unwrap().1);
    for (key, value) in [
        ("store", "postgres"),
        ("path", &url),
        ("fsync", "on"),
        ("synchronous", "on"),
        ("full_page_writes", "on"),
        ("isolation", "read committed"),
        ("right", "superuser"),
        ("role", "annals"),
        ("tls", "none"),
        ("pooler", "none"),
        ("schema", schema),
    ] {
        assert_eq!(settings[key], value, "{settings}");
    }
    assert!(settings["library"].as_str().unwrap().starts_with(|c: char| c.is_ascii_digit()), "{settings}");
    assert!(
        settings["layout"].as_i64().unwrap() > 0 && settings["bytes"].as_i64().unwrap() > 0,
        "{settings}"
    );
    assert_eq!((&settings["connections_max"], &settings["durable"]), (&json!(8), &json!(true)));
    assert_eq!(checked["settings"]["store"], "sqlite");
    let (text, said, code) = annals(&format!("check --read-models {url}"), &log);
    let line = text.lines().find(|line| line.starts_with("read models: postgres")).unwrap();
    for part in [
        schema,
        "role annals (superuser)",
        "synchronous on",
        "fsync on",
        "TLS none",
        "pooler none",
        "8 connections",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert_eq!((&*said, code), ("", Some(0)));
}

#[tokio::test]
async fn looking_at_a_schema_without_a_log_fails_and_makes_none() {
    let Some(url) = stores::url() else { return };
    for line in ["streams", "tail", "show counter-a", "lag", "check", "projections"] {
        let (printed, said, code) = annals(line, &url);
        assert_eq!((&*printed, code), ("", Some(1)), "{line}");
        assert!(said.contains("there is no event log in it"), "{said}");
    }
    // The control: a log that is there is looked at.
    Shop::on(stores::at(&url).await).raise("a", 1).await;
    assert_eq!(json("tail", &url).len(), 1);
}

#[tokio::test]
async fn a_follower_prints_what_another_process_appends() {
    let Some(url) = stores::url() else { return };
    let shop = Shop::on(stores::at(&url).await);
    shop.raise("a", 1).await;
    let mut child = command("tail --follow --json", &url).stdout(Stdio::piped()).spawn().unwrap();
    let printed = BufReader::new(child.stdout.take().unwrap());
    let (send, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let reading = std::thread::spawn(move || {
        printed.lines().map_while(Result::ok).for_each(|line| drop(send.send(line)));
    });
    for position in 1..=5 {
        let line = tokio::time::timeout(FOLLOWED_MAX, lines.recv()).await.unwrap().unwrap();
        assert_eq!(objects(&line)[0]["position"], position, "{line}");
        shop.raise("a", 1).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    reading.join().unwrap();
}

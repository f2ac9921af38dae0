//! What cannot be used is told with the reason, the next step and the exit code.

use super::own::Own;
use crate::program::{Program, Ran};
use serde_json::Value;
use std::net::TcpListener;

const SMALL: [&str; 7] = ["demo", "--orders", "8", "--skus", "2", "--writers", "2"];

/// The reason and the next step that a command with `--json` ended with.
fn refused(ran: &Ran, exit_code: i32) -> (String, String) {
    assert_eq!((ran.code, &*ran.stdout), (Some(exit_code), ""), "{ran:?}");
    let line = ran.stderr.lines().last().unwrap_or_default();
    let error: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{ran:?}"));
    assert_eq!(error["exit_code"], exit_code, "{ran:?}");
    let text = |key: &str| error[key].as_str().unwrap_or_default().to_string();
    (text("reason"), text("next"))
}

fn run(url: &str) -> Ran {
    Program::new().run(SMALL.into_iter().chain(["--json", "--store", url]))
}

#[test]
fn a_url_that_is_wrong_is_wrong_usage() {
    const SERVER: &str = "postgres://clerk@127.0.0.1:1/shop";
    for (url, reason, next) in [
        (
            "postgres:clerk@db/shop".into(),
            "does not begin with postgres://",
            "write it as postgres://USER@HOST",
        ),
        ("postgres://clerk@db:many/shop".into(), "cannot be read", "write it as postgres://USER@HOST"),
        (format!("{SERVER}?fsync=off"), "there is no option \"fsync\"", "the options are schema"),
        (format!("{SERVER}?sslmode=full"), "there is no such sslmode", "say sslmode=verify-full"),
        (format!("{SERVER}?sslmode=prefer"), "in the clear", "say sslmode=verify-full"),
        (format!("{SERVER}?sslrootcert=/nonexistent"), "/nonexistent cannot be read", "check the path"),
        (format!("{SERVER}?password-file=/nonexistent"), "/nonexistent cannot be read", "check the path"),
        (format!("{SERVER}?schema=Shop"), "names no schema", "?schema=NAME"),
        (format!("{SERVER}?pooler=session"), "can only be transaction", "write it as"),
    ] {
        let (why, step) = refused(&run(&url), 2);
        assert!(why.contains(reason) && step.contains(next), "{url}: {why}; {step}");
    }
}

#[test]
fn a_server_that_cannot_be_used_is_a_failure_with_a_next_step() {
    let Some(own) = Own::running("bad-input") else { return };
    own.run(
        "CREATE ROLE clerk LOGIN PASSWORD 'x'; CREATE ROLE guest LOGIN PASSWORD 'x'; \
         CREATE ROLE reader LOGIN PASSWORD 'x'; ALTER ROLE reader SET default_transaction_read_only = on; \
         GRANT CREATE ON DATABASE postgres TO clerk, reader; CREATE DATABASE latin ENCODING LATIN1 LOCALE 'C' TEMPLATE template0",
    );
    // It takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_port = silent.local_addr().unwrap().port().to_string();
    let (port, owner) = (own.port().to_string(), own.url());
    for (url, reason, next) in [
        (own.url_as("clerk:wrong"), "password authentication failed", "check user and password"),
        (own.url_as("clerk"), "password authentication failed", "check user and password"),
        (own.url_as("nobody:x"), "password authentication failed", "check user and password"),
        (owner.replace("/postgres", "/nowhere"), "there is no such database", "make it with createdb"),
        (
            owner.replace("/postgres", "/latin"),
            "server_encoding LATIN1",
            "make a database with encoding UTF8",
        ),
        (own.url_as("guest:x"), "permission denied for database", "let the owner open it once"),
        (own.url_as("reader:x"), "read-only for this user", "default_transaction_read_only"),
        (owner.replace(&port, "1"), "cannot be reached", "see that the server runs"),
        (owner.replace(&port, &silent_port), "no answer in time", "see that the server runs"),
        (owner.replace("127.0.0.1", "nowhere.invalid"), "cannot be reached", "check host and port"),
        (format!("{owner}?sslmode=verify-full"), "does not support TLS", "see that ssl is on at the server"),
    ] {
        let (why, step) = refused(&run(&url), 1);
        assert!(why.contains(reason) && step.contains(next), "{url}: {why}; {step}");
        // A log in a file is none the worse, and read models are refused for the same reason.
        let program = Program::new();
        let stores = ["--json", "--store", "sqlite:shop.db", "--read-models", &url];
        assert_eq!(refused(&program.run(SMALL.into_iter().chain(stores)), 1), (why, step), "{url}");
    }
    // The control: whoever may do it does it, on the same server.
    assert_eq!(run(&own.url_as("clerk:x")).code, Some(0));

    // Looking is allowed to whoever may not write; what would write says so, and changes nothing.
    own.run("GRANT clerk TO reader");
    let program = Program::new();
    let reader = own.url_as("reader:x");
    let before = program.json(["tail", "--store", &reader]);
    assert!(!before.is_empty());
    let demo = program.run(["demo", "--seed", "7", "--json", "--store", &reader]);
    let (why, _) = refused(&demo, 1);
    assert!(why.contains("read-only: name the primary one"), "{demo:?}");
    assert_eq!(program.json(["tail", "--store", &reader]), before);
}

#[test]
fn a_server_that_could_lose_events_is_used_only_if_the_url_says_so() {
    let Some(own) = Own::running("unsafe") else { return };
    own.start(&["fsync=off"]);
    let (why, step) = refused(&run(&own.url()), 1);
    assert!(why.contains("fsync off, not on") && step.contains("say unsafe-durability"), "{why}; {step}");
    let (program, url) = (Program::new(), format!("{}?unsafe-durability", own.url()));
    assert_eq!(program.run(SMALL.into_iter().chain(["--store", &url])).code, Some(0));
    let checked = program.run(["check", "--store", &url]);
    assert!(
        checked.stdout.contains("fsync off") && checked.stdout.contains("may take the last"),
        "{checked:?}"
    );
}

// The control: what writes is refused by the same server.
#[test]
fn a_standby_is_looked_into_and_takes_no_writes() {
    let Some(own) = Own::running("standby") else { return };
    let (program, url) = (Program::new(), own.url());
    assert_eq!(program.run(SMALL.into_iter().chain(["--store", &url])).code, Some(0));
    const LINES: [&str; 6] =
        ["streams", "tail", "show order-B1-0000001", "query stock", "projections", "parked list"];
    let look = |line: &str| program.json(line.split(' ').chain(["--store", &url]));
    let before = LINES.map(look);
    own.become_standby();
    assert_eq!(LINES.map(look), before);
    let lag = look("lag");
    assert!(!lag.is_empty() && lag.iter().all(|it| it["events_behind"] == 0), "{lag:?}");
    let checked = &look("check")[0];
    assert_eq!((&checked["ok"], &checked["settings"]["standby"]), (&true.into(), &true.into()), "{checked}");
    assert_eq!(checked["read_models"]["standby"], true, "{checked}");
    for line in ["demo", "replay stock", "grant read annals", "parked retry stock x"] {
        let (why, step) = refused(&program.run(line.split(' ').chain(["--json", "--store", &url])), 1);
        assert!(format!("{why}; {step}").contains("name the primary"), "{line}: {why}; {step}");
    }
}

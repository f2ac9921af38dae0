//! Roles that were granted to append or to read: what the program does for them, and what the database refuses them.

use super::own::Own;
use crate::program::{Program, only};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

const SMALL: [&str; 7] = ["demo", "--orders", "8", "--skus", "2", "--writers", "2"];

/// What the database says to whoever may not do it.
fn refusal(url: &str, sql: &'static str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let done = sqlx::raw_sql(sql).execute(&mut connection).await;
        done.expect_err(sql).to_string()
    })
}

fn events(program: &Program, url: &str) -> u64 {
    only(program.json(["check", "--store", url]))["events"].as_u64().unwrap()
}

// The control: before the grant neither role gets anywhere.
#[test]
fn a_granted_role_appends_or_reads_and_no_more() {
    let Some(own) = Own::running("granted") else { return };
    own.run("CREATE ROLE \"Shop Clerk\" LOGIN PASSWORD 'x'; CREATE ROLE analyst LOGIN PASSWORD 'x'");
    let (program, owner) = (Program::new(), own.url());
    let (clerk, analyst) = (own.url_as("Shop%20Clerk:x"), own.url_as("analyst:x"));
    assert_eq!(program.run(SMALL.into_iter().chain(["--store", &owner])).code, Some(0));
    for url in [&clerk, &analyst] {
        let ran = program.run(["tail", "--store", url]);
        assert!(ran.code == Some(1) && ran.stderr.contains("grant append|read ROLE"), "{ran:?}");
    }

    // Twice: the second time nothing is left to do.
    for _ in 0..2 {
        let granted = only(program.json(["grant", "append", "Shop Clerk", "--store", &owner]));
        assert_eq!((&granted["role"], &granted["right"]), (&json!("Shop Clerk"), &json!("append")));
        assert_eq!(granted["log"], granted["read_models"], "{granted}");
        assert_eq!(program.run(["grant", "read", "analyst", "--store", &owner]).code, Some(0));
    }

    let before = events(&program, &owner);
    let stores = ["--seed", "7", "--store", &clerk, "--read-models", "sqlite:mine.db"];
    let appended = program.run(SMALL.into_iter().chain(stores));
    assert_eq!(appended.code, Some(0), "{appended:?}");
    let after = events(&program, &clerk);
    assert!(after > before, "{after}");
    for sql in [
        "UPDATE annals.log SET version = 9",
        "DELETE FROM annals.log",
        "TRUNCATE annals.log",
        "SET annals.appending = 'on'; INSERT INTO annals.streams VALUES (99, 'order-99')",
        "UPDATE annals.generations SET checkpoint = 0",
    ] {
        for url in [&clerk, &analyst] {
            assert!(refusal(url, sql).contains("permission denied"), "{sql}");
        }
    }

    for line in ["streams", "tail", "projections", "lag", "check", "query stock", "parked list"] {
        let ran = program.run(line.split(' ').chain(["--store", &analyst]));
        assert_eq!((ran.code, &*ran.stderr), (Some(0), ""), "{line}: {ran:?}");
    }
    let seen = program.json(["query", "stock", "--store", &analyst]);
    assert_eq!(seen, program.json(["query", "stock", "--store", &owner]));
    let stores = ["--seed", "8", "--store", &analyst, "--read-models", "sqlite:other.db"];
    let refused = program.run(SMALL.into_iter().chain(stores));
    assert!(refused.code == Some(1) && refused.stderr.contains("lacks the right"), "{refused:?}");
    assert_eq!(events(&program, &owner), after);
}

#[test]
fn a_grant_that_cannot_be_is_refused_with_a_next_step() {
    let Some(own) = Own::running("grants-refused") else { return };
    own.run("CREATE ROLE clerk LOGIN PASSWORD 'x'");
    let (program, owner, clerk) = (Program::new(), own.url(), own.url_as("clerk:x"));
    assert_eq!(program.run(SMALL.into_iter().chain(["--store", &owner])).code, Some(0));
    assert_eq!(program.run(SMALL.into_iter().chain(["--store", "sqlite:shop.db"])).code, Some(0));
    assert_eq!(program.run(["grant", "read", "clerk", "--store", &owner]).code, Some(0));
    for (line, store, code, says, next) in [
        ("grant append nobody", owner.as_str(), 1, "there is no role", "CREATE ROLE"),
        ("grant read public", &owner, 1, "which is everybody", "name one role"),
        ("grant append clerk", &clerk, 1, "owned by \"annals\"", "name the owner"),
        ("grant append clerk", "sqlite:shop.db", 2, "not in PostgreSQL", "--store postgres://"),
        ("grant read clerk", "memory:", 2, "in PostgreSQL", "--store postgres://"),
        ("grant all clerk", &owner, 2, "possible values: append, read", "--help"),
    ] {
        let ran = program.run(line.split(' ').chain(["--json", "--store", store]));
        let error: Value = serde_json::from_str(ran.stderr.trim()).unwrap_or_else(|_| panic!("{ran:?}"));
        let text = |key: &str| error[key].as_str().unwrap_or_default().to_string();
        assert_eq!((ran.code, &*ran.stdout), (Some(code), ""), "{line}: {ran:?}");
        assert!(text("reason").contains(says) && text("next").contains(next), "{line}: {error}");
    }
    // Of a log in a file, the read models that are in PostgreSQL can be read.
    let stores = ["--store", "sqlite:shop.db", "--read-models", &format!("{owner}?schema=views")];
    let missing = program.run(["grant", "read", "clerk"].into_iter().chain(stores));
    assert_eq!(missing.code, Some(2), "{missing:?}");
    assert_eq!(program.run(["replay", "--all"].into_iter().chain(stores)).code, Some(0));
    let granted = only(program.json(["grant", "read", "clerk"].into_iter().chain(stores)));
    assert_eq!(granted["log"], json!(null), "{granted}");
    let as_clerk = ["--store", "sqlite:shop.db", "--read-models", &format!("{clerk}?schema=views")];
    assert_eq!(program.json(["query", "stock"].into_iter().chain(as_clerk)).len(), 2);
}

//! An import that was interrupted: running it again brings in the rest, and nothing twice.

use crate::program::{Program, numbers, only};
use annals::Position;
use annals_cli::{Access, Global, Stores};
use serde_json::Value;
use std::{fmt::Write, process::Command, time::Duration};

/// So many that none of the machines that run this is done before it is interrupted.
const ORDERS: u64 = 1_000;

/// Events after which it is interrupted: in the middle of orders, reservations and read models.
const EVENTS_BEFORE: u64 = 200;

/// A test that waits longer than this for an event waits in vain.
const PATIENCE: Duration = Duration::from_secs(60);

fn many_orders() -> String {
    let mut text =
        String::from("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n");
    for order in 1..=ORDERS {
        for line in 1..=3 {
            let (sku, minute) = ((order * 7 + line) % 40, order % 60);
            writeln!(text, "{order},9{sku:03},,{line},2010-12-01T08:{minute:02}:00Z,1.25,{},", order % 97)
                .unwrap();
        }
    }
    text
}

/// A program whose log exists, and the file that it is to import.
fn prepared() -> Program {
    let program = Program::new();
    let many = many_orders();
    let first: String = many.lines().take(4).map(|line| format!("{line}\n")).collect();
    program.write("first.csv", first);
    program.write("many.csv", many);
    only(program.json(["import", "first.csv"]));
    program
}

/// Starts the import and waits until it is in the middle.
async fn in_the_middle(program: &Program) -> std::process::Child {
    let global = Global {
        store: Some(format!("sqlite:{}", program.dir().join("northwind.db").display()).into()),
        ..Global::default()
    };
    let stores = Stores::open(&northwind::shop(), &global, Access::Look).await.unwrap();
    let mut head = stores.store.head();
    let enough = Position::new(stores.head().await.unwrap().get() + EVENTS_BEFORE);
    let child = program.start(["import", "many.csv"]);
    tokio::time::timeout(PATIENCE, head.wait_for(|head| *head >= enough)).await.unwrap().unwrap();
    child
}

/// Imports the rest and compares with an import that nobody interrupted.
fn goes_on(program: &Program) {
    let report = only(program.json(["import", "many.csv"]));
    let [orders, repeated, refused] = numbers(&report, ["orders", "repeated", "lines_refused"]);
    assert_eq!((orders, refused), (ORDERS, 0));
    assert!((1..ORDERS).contains(&repeated), "some orders had arrived, others not: {report}");

    let calm = Program::new();
    calm.write("many.csv", many_orders());
    let at_once = only(calm.json(["import", "many.csv"]));
    assert_eq!(numbers(&at_once, ["repeated", "orders"]), [0, ORDERS]);
    assert_eq!(at_once["events"], report["events"], "nothing is there twice");
    for read_model in ["sales-per-sku", "sales-per-day", "stock"] {
        assert_eq!(program.json(["query", read_model]), calm.json(["query", read_model]), "{read_model}");
    }
    assert_eq!(only(program.json(["check"]))["ok"], true);
    for read_model in program.json(["replay", "--all", "--diff"]) {
        assert_eq!(read_model["differences"], 0, "{read_model}");
    }
}

// Control: with a random command id for each invoice, the lines of those that had arrived are refused.
#[tokio::test]
async fn a_killed_import_goes_on_where_it_was() {
    let program = prepared();
    let mut child = in_the_middle(&program).await;
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    goes_on(&program);
}

// Control: when the runner is aborted instead of stopped, `lag` names a process that is gone as the holder.
#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_stops_cleanly_and_says_what_to_do() {
    let program = prepared();
    let child = in_the_middle(&program).await;
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]), "{stderr}");
    assert!(stderr.contains("next: run the same command again"), "{stderr}");
    for subscriber in program.json(["lag"]) {
        assert_eq!(subscriber["holder"], Value::Null, "its lease was given back: {subscriber}");
    }
    goes_on(&program);
}

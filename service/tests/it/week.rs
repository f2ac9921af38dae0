//! A week of invoices, against totals that are reckoned from its file by other means: a small one with all that is odd
//! in real ones, and the real one where its file is found.

use crate::{
    program::{Program, numbers, only},
    week_totals::{OPENING_STOCK, Totals},
};
use annals_services::not_run;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fmt::Debug,
    path::{Path, PathBuf},
};

/// Names the file: lines of the public data set "Online Retail" as CSV, times as RFC 3339.
const FILE_VARIABLE: &str = "ANNALS_RETAIL_CSV";

/// The file; none where none is named, which is said out loud.
pub(crate) fn week() -> Option<PathBuf> {
    let Some(named) = std::env::var_os(FILE_VARIABLE).map(PathBuf::from) else {
        let how = format!(
            "run the tests with {FILE_VARIABLE}=/path/to/FILE.csv, a week of the public data set \"Online Retail\""
        );
        not_run("the import of the real week", how);
        return None;
    };
    assert!(named.is_file(), "{FILE_VARIABLE} names {}, which is no file", named.display());
    Some(named.canonicalize().unwrap())
}

/// The documents of a read model by key, each as the numbers that are compared.
fn documents<const N: usize>(
    program: &Program,
    read_model: &str,
    key: &str,
    compared: [&str; N],
) -> BTreeMap<String, [u64; N]> {
    let all = program.json(["query", read_model]);
    all.iter().map(|one| (one[key].as_str().unwrap().to_string(), numbers(one, compared))).collect()
}

fn compare<T: PartialEq + Debug>(what: &str, read: &BTreeMap<String, T>, reckoned: &BTreeMap<String, T>) {
    let differ: Vec<_> = read
        .keys()
        .chain(reckoned.keys())
        .filter(|key| read.get(*key) != reckoned.get(*key))
        .take(5)
        .collect();
    assert!(
        differ.is_empty(),
        "{what} differ: {:?}",
        differ.iter().map(|key| (key, read.get(*key), reckoned.get(*key))).collect::<Vec<_>>()
    );
}

/// Codes in lower case, an article twice on an invoice, quotes and commas, prices of 0, charges with and without goods,
/// invoices that do not stand together, returns of goods, of charges and of both, adjustments that say the same twice.
const SMALL_WEEK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/week.csv");

/// How it was broken: with codes compared as they are written, and with one line counted for each order of a day.
#[test]
fn the_read_models_of_a_small_week_agree_with_totals_reckoned_from_the_file() {
    let file = Path::new(SMALL_WEEK);
    let totals = Totals::of(file);
    assert_eq!((totals.orders, totals.returns, totals.adjustments, totals.lost_charges), (7, 4, 4, 2));
    agree(file, &totals);
}

#[test]
fn the_read_models_of_the_real_week_agree_with_totals_reckoned_from_the_file() {
    let Some(file) = week() else { return };
    agree(&file, &Totals::of(&file));
}

/// The read models of `file` and what its import says agree with `totals`; importing it again changes nothing.
fn agree(file: &Path, totals: &Totals) {
    let program = Program::new();
    let file = file.to_str().unwrap();
    let mut printed = program.json(["import", file, "--verbose"]);
    let report = printed.pop().unwrap();
    assert_eq!(
        numbers(&report, ["orders", "returns", "adjustments", "lines_taken", "lines_refused", "repeated"]),
        [
            totals.orders,
            totals.returns,
            totals.adjustments,
            totals.lines - totals.lost_charges,
            totals.lost_charges,
            0
        ]
    );
    assert_eq!(numbers(&report, ["charges"]), [totals.charges - totals.lost_charges]);
    assert_eq!(printed.len() as u64, totals.lost_charges, "{printed:?}");

    let compared = ["ordered", "gross_minor", "returned", "refund_minor"];
    compare("articles", &documents(&program, "sales-per-sku", "sku", compared), &totals.by_sku);
    let compared = ["orders", "lines", "gross_minor", "returns", "refund_minor"];
    compare("days", &documents(&program, "sales-per-day", "day", compared), &totals.by_day);
    let compared = ["orders", "gross_minor", "returns", "refund_minor"];
    compare("customers", &documents(&program, "customer-orders", "customer", compared), &totals.by_customer);
    let compared = ["on_hand", "reserved", "shipped", "received"];
    compare("stocks", &documents(&program, "stock", "sku", compared), &totals.stock);

    everything_holds(&program);
    let again = only(program.json(["import", file]));
    let counts = ["orders", "returns", "adjustments", "charges", "lines_taken", "lines_refused", "events"];
    assert_eq!(numbers(&again, counts), numbers(&report, counts));
    assert_eq!(numbers(&again, ["repeated"]), [totals.orders + totals.returns + totals.adjustments]);
}

fn everything_holds(program: &Program) {
    let orders = program.json(["query", "orders"]);
    assert!(orders.iter().all(|order| order["status"] == "confirmed"), "{OPENING_STOCK} pieces are enough");
    let checked = only(program.json(["check"]));
    assert_eq!((&checked["ok"], &checked["problems"]), (&Value::from(true), &Value::from(vec![0; 0])));
    let replayed = program.json(["replay", "--all", "--diff"]);
    assert_eq!(replayed.len(), 5);
    for read_model in replayed {
        assert_eq!(read_model["differences"], 0, "{read_model}");
    }
    for subscriber in program.json(["lag"]) {
        assert_eq!(subscriber["events_behind"], 0, "{subscriber}");
    }
}

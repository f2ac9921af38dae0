//! `consume`: another service fills the shop's read models from topics, without the log.

use crate::{
    program::{Program, numbers, only},
    publishing::kafka,
};
use serde_json::Value;
use std::{
    process::Command,
    time::{Duration, Instant},
};

/// A test that waits longer than this for what is published waits in vain.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked whether it is there.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

const READ_MODELS: [&str; 5] = ["orders", "stock", "sales-per-day", "sales-per-sku", "customer-orders"];

const PLACE: [&str; 2] = ["--read-models", "sqlite:reporting.db"];

/// A shop whose events are published, and another service in a directory of its own.
struct Two {
    shop: Program,
    elsewhere: Program,
    kafka: String,
    prefix: String,
}

impl Two {
    /// None without a broker, which is said out loud.
    fn new() -> Option<Self> {
        let kafka = kafka()?;
        let two = Self { shop: Program::new(), elsewhere: Program::new(), kafka, prefix: String::new() };
        let demo = two.sell(100);
        Some(Self { prefix: demo["published"]["topic_prefix"].as_str().unwrap().into(), ..two })
    }

    /// So many orders in all; the report of the demo.
    fn sell(&self, orders: u64) -> Value {
        let orders = orders.to_string();
        let demo = ["demo", "--orders", &orders, "--skus", "5", "--writers", "8", "--publish", &self.kafka];
        only(self.shop.json(demo))
    }

    fn group(&self) -> &str {
        self.prefix.trim_end_matches('.')
    }

    fn line<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let from =
            ["consume", "--from", &self.kafka, "--group", self.group(), "--topic-prefix", &self.prefix];
        [&from[..], &PLACE, more].concat()
    }

    fn consume(&self, more: &[&str]) -> Vec<Value> {
        self.elsewhere.json(self.line(more))
    }

    /// What the other service shows.
    fn elsewhere(&self, read_model: &str) -> Vec<Value> {
        documents(&self.elsewhere, &["query", read_model, PLACE[0], PLACE[1]])
    }

    fn of_the_log(&self, read_model: &str) -> Vec<Value> {
        documents(&self.shop, &["query", read_model])
    }

    fn are_equal(&self) -> bool {
        READ_MODELS.iter().all(|name| self.elsewhere(name) == self.of_the_log(name))
    }
}

/// All documents; without what depends on the order in which different orders came.
fn documents(program: &Program, query: &[&str]) -> Vec<Value> {
    let ran = program.run(query.iter().copied().chain(["--json"]));
    let mut all = if ran.code == Some(0) { ran.json() } else { vec![] };
    for document in &mut all {
        document.as_object_mut().unwrap().remove("last_orders");
    }
    all
}

fn handled(done: &[Value]) -> u64 {
    done.iter().map(|one| numbers(one, ["handled"])[0]).sum()
}

/// How it was broken: without waiting for the checkpoints (in `Reading::all_handled`), nothing is there yet; without
/// `Reading::by_others`, nothing is remarked.
#[test]
fn read_models_from_topics_are_those_of_the_log_and_go_on_where_they_were() {
    let Some(two) = Two::new() else { return };
    // Nothing was returned, so there is no such topic; the others are read all the same.
    let ran = two.elsewhere.run(two.line(&["orders", "sales-per-day"]));
    assert!(ran.code == Some(1) && ran.stderr.contains(&format!("no topic {}return", two.prefix)), "{ran:?}");
    assert_eq!(two.elsewhere("orders"), two.of_the_log("orders"));

    let first = two.consume(&["--create-topics", "4"]);
    assert!(two.are_equal() && handled(&first) > 0, "{first:?}");
    let more = two.sell(160);
    assert_eq!(more["published"]["holds"], true);
    assert!(!two.are_equal(), "control: there is something to do");
    let second = two.consume(&[]);
    assert!(two.are_equal() && handled(&second) > 0, "{second:?}");
    assert_eq!(handled(&two.consume(&[])), 0);
    // Another group finds it filled, as the same one does on a cluster that was made anew: it may be of another log.
    let (other, remark) = (format!("{}-other", two.group()), "orders: it was filled up to position");
    for (group, remarked) in [(two.group(), false), (&other, true)] {
        let line = two.line(&[]).into_iter().map(|word| if word == two.group() { group } else { word });
        let ran = two.elsewhere.run(line);
        assert_eq!((ran.code, ran.stderr.contains(remark)), (Some(0), remarked), "{ran:?}");
    }
    // Nobody made a log for it.
    let made = two.elsewhere.files();
    assert!(made.iter().all(|name| name.starts_with("reporting.db")), "{made:?}");
}

/// How it was broken: where SIGTERM is not listened to, it ends by it, and tells nothing.
#[cfg(unix)]
#[test]
fn a_follower_goes_on_until_it_is_asked_to_end() {
    let Some(two) = Two::new() else { return };
    two.consume(&["--create-topics", "4"]);
    let following = two.elsewhere.start(two.line(&["--follow", "--json"]));
    two.sell(160);
    let begun = Instant::now();
    while !two.are_equal() {
        assert!(begun.elapsed() < PATIENCE, "what is published is not there");
        std::thread::sleep(LOOK_INTERVAL);
    }
    let asked = Command::new("kill").args(["-TERM", &following.id().to_string()]).status().unwrap();
    assert!(asked.success());
    let ended = following.wait_with_output().unwrap();
    let (printed, said) =
        (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
    assert_eq!(ended.status.code(), Some(0), "{said}");
    assert!(said.contains("until ctrl-c"), "{said}");
    let done: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(handled(&done) > 0, "{printed}");
    // All that it had is given back: who comes next need not wait.
    assert_eq!(handled(&two.consume(&[])), 0);
}

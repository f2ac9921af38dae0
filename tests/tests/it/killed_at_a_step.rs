//! A runner of read models on PostgreSQL, killed at each step of a page: the read models are what a replay makes.

use crate::{
    books::{assert_same_as_replayed, differences},
    postgres::{looking, run, schema, texts, until},
    process::Process,
};
use annals::{Context, Position};
use annals_tests::{Report, Shop};
use northwind_aggregates::{Burst, BurstTerms, OrderCommand, Sku, StockCommand, StockItem};
use sqlx::PgConnection;
use std::{collections::BTreeSet, path::PathBuf};
use tempfile::TempDir;

/// Where the runner is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    BeforeTheWrite,
    /// Documents are written, the checkpoint is not; the server then takes all of it back.
    WithinTakenBack,
    /// The same; the server carries it through, and nobody hears of it. What has tables of its own is taken back: there
    /// the commit is a call of its own.
    WithinCarriedThrough,
    AfterTheCommit,
}

/// Short: whoever comes next waits for it.
const LEASE_MS: &str = "300";

/// As any number that no program of ours uses for a lock.
const LOCK: &str = "4711";

struct Story {
    _dir: TempDir,
    log: PathBuf,
    views: String,
    shop: Shop,
    orders: Vec<(String, OrderCommand)>,
    placed: usize,
    sql: PgConnection,
    /// How many read models there are, each with a page in hand when the runner is killed.
    models: usize,
}

impl Story {
    async fn new() -> Option<Self> {
        let views = schema()?;
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("shop.db");
        let shop = Shop::open_with(&log, Some(&views)).await.unwrap();
        let terms = BurstTerms { orders: 400, skus: 20, seed: 11, start: chrono::DateTime::UNIX_EPOCH };
        let burst = Burst::new(terms).unwrap();
        for (sku, command) in burst.opening_stock() {
            let context = Context::keyed(&format!("opening stock of {sku}"));
            shop.engine.execute::<StockItem>(&sku, &command, context).await.unwrap();
        }
        let mut sql = looking(&views).await;
        // Whoever moves a checkpoint waits for the story, having written everything else.
        run(
            &mut sql,
            &format!(
                "CREATE FUNCTION wait_for_the_story() RETURNS trigger LANGUAGE plpgsql AS $$ \
                 BEGIN PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN NEW; END $$; \
                 CREATE TRIGGER wait_for_the_story BEFORE UPDATE ON generations FOR EACH ROW \
                 WHEN (OLD.checkpoint < NEW.checkpoint) EXECUTE FUNCTION wait_for_the_story()"
            ),
        )
        .await;
        let orders = burst.orders().collect();
        let models = shop.models().len();
        Some(Self { _dir: dir, log, views, shop, orders, placed: 0, sql, models })
    }

    /// Receives some pieces and places some more orders, so that each read model gets a page; where the log then ends.
    async fn place(&mut self) -> Position {
        let reference = format!("delivery {}", self.placed);
        let command = StockCommand::Receive { quantity: 1, reference: reference.clone() };
        let sku = Sku::new("SCARF").unwrap();
        self.shop.engine.execute::<StockItem>(&sku, &command, Context::keyed(&reference)).await.unwrap();
        let mut at = Position::START;
        for (number, command) in &self.orders[self.placed..self.placed + 40] {
            at = self.shop.place(number, command).await.unwrap().position;
        }
        self.placed += 40;
        at
    }

    fn runner(&self, hold: Option<&str>) -> Process {
        let mut arguments = vec!["read-models", self.log.to_str().unwrap(), "--views", &self.views];
        arguments.extend(["--holder", "a runner", "--lease-ms", LEASE_MS]);
        arguments.extend(hold.iter().flat_map(|hold| ["--hold", *hold]));
        Process::start(arguments)
    }

    /// What the read models held before and hold after the runner was killed at `step`.
    async fn kill_at(&mut self, step: Step) -> (Vec<String>, Vec<String>) {
        const ROWS: &str = "SELECT concat_ws(' ', name, checkpoint, CASE name WHEN 'orders' \
                            THEN (SELECT count(*) FROM orders) ELSE (SELECT sum(steps) FROM order_steps) END) \
                            FROM generations WHERE name IN ('orders', 'order-steps') AND state = 'live' ORDER BY name";
        let before = texts(&mut self.sql, ROWS).await;
        if matches!(step, Step::BeforeTheWrite | Step::AfterTheCommit) {
            let mut runner = self.runner(Some(if step == Step::BeforeTheWrite { "before" } else { "after" }));
            let mut held = BTreeSet::new();
            runner.until("that each has a page in hand", |report| {
                if let Report::Holding { subscriber, .. } = report {
                    held.insert(subscriber.clone());
                }
                (held.len() == self.models).then_some(())
            });
            runner.kill();
        } else {
            run(&mut self.sql, &format!("SELECT pg_advisory_lock({LOCK})")).await;
            let mut runner = self.runner(None);
            let waiting = format!(
                "SELECT DISTINCT a.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid) \
                 WHERE l.locktype = 'advisory' AND l.objid = {LOCK} AND NOT l.granted"
            );
            until(&mut self.sql, &format!("SELECT count(*) FROM ({waiting}) w"), &self.models.to_string())
                .await;
            runner.kill();
            if step == Step::WithinTakenBack {
                let ended = format!("SELECT count(pg_terminate_backend(pid, 10000)) FROM ({waiting}) w");
                assert_eq!(texts(&mut self.sql, &ended).await, [self.models.to_string()]);
            }
            run(&mut self.sql, &format!("SELECT pg_advisory_unlock({LOCK})")).await;
            until(&mut self.sql, &format!("SELECT count(*) FROM ({waiting}) w"), "0").await;
            // Whatever the server still carries through holds the row until it is done.
            run(&mut self.sql, "SELECT FROM generations FOR UPDATE").await;
        }
        (before, texts(&mut self.sql, ROWS).await)
    }

    /// Runs all read models until they stand at `head`.
    fn catch_up(&self, head: Position) {
        let (mut runner, mut there) = (self.runner(None), BTreeSet::new());
        runner.until("that all stand at the head", |report| {
            if let Report::Began { subscriber, at } | Report::Handled { subscriber, at } = report
                && *at >= head
            {
                there.insert(subscriber.clone());
            }
            (there.len() == self.models).then_some(())
        });
        runner.tell("stop");
        assert_eq!(runner.rest().last(), Some(&Report::Finished));
    }
}

/// The last part is the control: a page that is left out is found. How else it was broken: when the page of a read
/// model with tables of its own is committed before its checkpoint, a page that was taken back has counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_runner_killed_at_any_step_of_a_page_leaves_what_a_replay_makes() {
    let Some(mut story) = Story::new().await else { return };
    // All of them are there, and every one has documents.
    let head = story.place().await;
    story.catch_up(head);
    for step in [
        Step::BeforeTheWrite,
        Step::WithinTakenBack,
        Step::WithinCarriedThrough,
        Step::AfterTheCommit,
        Step::WithinTakenBack,
        Step::BeforeTheWrite,
    ] {
        let head = story.place().await;
        let (before, after) = story.kill_at(step).await;
        let documents = matches!(step, Step::WithinCarriedThrough | Step::AfterTheCommit);
        let tables = step == Step::AfterTheCommit;
        assert_eq!((before.len(), after.len()), (2, 2), "{before:?}, {after:?}");
        for (at, written) in [tables, documents].into_iter().enumerate() {
            assert_eq!(before[at] != after[at], written, "{step:?}: {}, {}", before[at], after[at]);
        }
        story.catch_up(head);
        println!(
            "killed {step:?}: documents written {documents}, tables {tables}; {} orders then handled",
            story.placed
        );
    }
    assert!(assert_same_as_replayed(&story.shop).await > 280);

    let head = story.place().await;
    run(&mut story.sql, "UPDATE generations SET checkpoint = checkpoint + 20 WHERE state = 'live'").await;
    story.catch_up(head);
    let found: u64 = differences(&story.shop).await.iter().map(|(_, found)| found.differences()).sum();
    assert!(found > 0, "twenty events were left out, and no read model differs");
}

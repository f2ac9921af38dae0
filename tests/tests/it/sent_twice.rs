//! A command that is sent again after its process was killed is done once, and gets its first answer.

use crate::{ledger::whole_log, process::Process, seed::rng};
use annals::{Context, EventStore};
use annals_sqlite::{SqliteOptions, SqliteStore};
use annals_tests::{Report, Shop};
use northwind_aggregates::{Currency, Line, Order, OrderCommand, OrderStatus, Sku};
use std::{path::Path, sync::Arc};

/// How often a process is killed while its command is on the way.
const KILLS: u64 = 8;

fn deliver(log: &Path, reference: &str) -> Process {
    let arguments = ["deliver", log.to_str().unwrap(), "--sku", "hat", "--reference", reference];
    let mut process = Process::start(arguments);
    process.until("that it is ready", |report| (*report == Report::Ready).then_some(()));
    process.tell("begin");
    process
}

fn answer(process: &mut Process) -> Report {
    process.until("an answer", |report| matches!(report, Report::Answered { .. }).then(|| report.clone()))
}

fn as_repeat(answer: &Report) -> Report {
    let mut again = answer.clone();
    if let Report::Answered { repeated, .. } = &mut again {
        *repeated = true;
    }
    again
}

fn open(log: &Path) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::open(&SqliteOptions::new(log)).unwrap())
}

/// Receiving goods is no command that the domain would recognise: only its id does.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_answered_before_the_kill_gets_the_same_answer_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("shop.db");
    let mut first = deliver(&log, "delivery 1");
    let told = answer(&mut first);
    first.kill();
    // Others go on meanwhile.
    answer(&mut deliver(&log, "delivery 2"));
    let again = answer(&mut deliver(&log, "delivery 1"));
    assert_eq!(again, as_repeat(&told));
    assert_eq!(whole_log(&*open(&log)).await.len(), 2);
    // The control: under another id it is another delivery.
    answer(&mut deliver(&log, "delivery 3"));
    assert_eq!(whole_log(&*open(&log)).await.len(), 3);
}

/// The process is killed as soon as its event is seen in the log, most often before anybody was answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_killed_on_its_way_is_done_once_when_it_is_sent_again() {
    let (dir, mut rng) = (tempfile::tempdir().unwrap(), rng());
    let log = dir.path().join("shop.db");
    let store = open(&log);
    let mut unanswered = 0;
    for kill in 1..=KILLS {
        let (mut head, reference) = (store.head(), format!("delivery {kill}"));
        let mut first = deliver(&log, &reference);
        // Every other time at once: then the command may not have arrived at all.
        if rng.bool() {
            let seen = head.wait_for(|head| head.get() >= kill);
            tokio::time::timeout(crate::process::LINE_MAX, seen).await.expect("the event is seen").unwrap();
        }
        let told = first.kill();
        let before = told.iter().find(|report| matches!(report, Report::Answered { .. }));
        unanswered += u64::from(before.is_none());
        let again = answer(&mut deliver(&log, &reference));
        let Report::Answered { position, version, events: 1, .. } = again else { panic!("{again:?}") };
        assert_eq!((position.get(), version.get()), (kill, kill));
        if let Some(before) = before {
            assert_eq!(again, as_repeat(before));
        }
        assert_eq!(whole_log(&*store).await.len() as u64, kill);
    }
    println!("{KILLS} kills, {unanswered} of them before the command was answered");
}

/// The hard case: the effect of the first arrival, and what came after it, make the rules refuse it now.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_the_rules_would_refuse_now_gets_its_first_answer() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("shop.db");
    let occurred_at = chrono::DateTime::UNIX_EPOCH;
    let line = Line {
        line: 1,
        sku: Sku::new("hat").unwrap(),
        description: "Hat".into(),
        quantity: 1,
        unit_price_minor: 999,
    };
    let place = OrderCommand::Place {
        customer: None,
        country: None,
        currency: Currency::GBP,
        lines: vec![line],
        charges: vec![],
        occurred_at,
    };
    let first = Shop::open(&log).unwrap().place("17", &place).await.unwrap();
    {
        let shop = Shop::open(&log).unwrap();
        let cancel = OrderCommand::Cancel { reason: "changed my mind".into(), occurred_at };
        shop.engine.execute::<Order>("17", &cancel, Context::new()).await.unwrap();
    }
    let shop = Shop::open(&log).unwrap();
    let again = shop.place("17", &place).await.unwrap();
    assert!(again.repeated && (again.version, again.position) == (first.version, first.position));
    assert_eq!(shop.engine.load::<Order>("17").await.unwrap().state.status(), OrderStatus::Cancelled);
    // The control: as another command it is refused.
    let other = shop.engine.execute::<Order>("17", &place, Context::new()).await;
    assert!(other.unwrap_err().rejection().is_some());
    assert_eq!(whole_log(&*shop.store).await.len(), 2);
}

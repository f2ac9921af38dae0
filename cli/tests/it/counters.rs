//! A small service: counters, a read model that refuses 13, and a policy that mirrors raises.

use annals::{
    Aggregate, Commit, Context, DomainEvent, Engine, EventData, EventId, Expected, Issued, Json, Keys,
    Policy, ProjectError, Projection, RecordedEvent,
};
use annals_cli::{CliError, Global, Operations, Output, Service, Stores, operations};
use clap::Parser;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    io::{self, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Counted {
    Raised { by: u64 },
}

impl DomainEvent for Counted {
    const CATEGORY: &'static str = "counter";
}

#[derive(Debug, Default, Clone, Serialize)]
pub(crate) struct Counter {
    count: u64,
    raises: u64,
}

impl Aggregate for Counter {
    type Id = str;
    type Command = u64;
    type Event = Counted;
    type Rejection = std::convert::Infallible;

    fn decide(&self, by: &u64) -> Result<Vec<Counted>, Self::Rejection> {
        Ok(vec![Counted::Raised { by: *by }])
    }

    fn evolve(&mut self, Counted::Raised { by }: &Counted) {
        self.count += by;
        self.raises += 1;
    }
}

/// The read model `totals`; refuses 13 until it is mended, and counts double when it is `off`.
#[derive(Clone, Default)]
pub(crate) struct Totals {
    pub(crate) mended: Arc<AtomicBool>,
    pub(crate) off: Arc<AtomicBool>,
}

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Total {
    total: u64,
    raises: u64,
}

impl Projection for Totals {
    const NAME: &'static str = "totals";
    type Event = Counted;
    type Document = Total;

    fn keys(&self, _: &Counted, recorded: &RecordedEvent) -> Keys {
        recorded.key().into()
    }

    fn project(
        &self,
        _: &str,
        before: Option<Total>,
        Counted::Raised { by }: &Counted,
        _: &RecordedEvent,
    ) -> Result<Option<Total>, ProjectError> {
        if *by == 13 && !self.mended.load(Ordering::Relaxed) {
            return Err(ProjectError::new("13 is refused"));
        }
        let Total { total, raises } = before.unwrap_or_default();
        let times = if self.off.load(Ordering::Relaxed) { 2 } else { 1 };
        Ok(Some(Total { total: total + by * times, raises: raises + 1 }))
    }
}

/// Raises `all-KEY` by what KEY was raised by; what it raised itself it leaves alone.
#[derive(Clone)]
pub(crate) struct Mirror;

impl Policy for Mirror {
    const NAME: &'static str = "mirror";
    type Event = Counted;

    fn react(&self, Counted::Raised { by }: &Counted, recorded: &RecordedEvent) -> Vec<Issued> {
        if recorded.key().starts_with("all-") {
            return vec![];
        }
        vec![Issued::to::<Counter>(&format!("all-{}", recorded.key()), *by)]
    }
}

pub(crate) fn service(totals: Totals) -> Service {
    Service::new("counters")
        .aggregate::<Counter>()
        .projection(totals)
        .policy(Mirror)
        .begin_with("`counters demo`")
}

/// A service over stores, and what it needs to run commands as a person would.
pub(crate) struct Shop {
    pub(crate) service: Service,
    pub(crate) stores: Stores,
    pub(crate) engine: Arc<Engine>,
    pub(crate) totals: Totals,
}

impl Shop {
    /// On new stores, of the kind that this program tests.
    pub(crate) async fn new() -> Self {
        Self::on(crate::stores::fresh().await)
    }

    pub(crate) fn on(stores: Stores) -> Self {
        let totals = Totals::default();
        let service = service(totals.clone());
        let engine = service.engine(&stores);
        Self { service, stores, engine, totals }
    }

    pub(crate) async fn raise(&self, key: &str, by: u64) {
        self.engine.execute::<Counter>(key, &by, Context::new()).await.unwrap();
    }

    /// An event of a category that the service does not know.
    pub(crate) async fn foreign(&self, stream: &str, payload: &str) {
        let event = EventData::raw(EventId::random(), "Happened", 1, Json::parse(payload).unwrap());
        self.stores.store.append(Commit::to(stream.parse().unwrap(), Expected::Any, [event])).await.unwrap();
    }

    pub(crate) async fn drain(&self) {
        annals_cli::drain(&self.service, &self.stores, &self.engine, &mut |_, _| {}).await.unwrap();
    }

    /// Runs a command line, and returns what it printed and how it ended.
    pub(crate) async fn run(&self, line: &str) -> (String, Result<(), CliError>) {
        self.run_until(line, &CancellationToken::new()).await
    }

    pub(crate) async fn run_until(
        &self,
        line: &str,
        stop: &CancellationToken,
    ) -> (String, Result<(), CliError>) {
        let program = parse(line).unwrap();
        let printed = Printed::default();
        let mut output = Output::to(&program.global, printed.clone());
        let done =
            operations::run_on(&self.service, &self.stores, program.operation, &mut output, stop).await;
        (printed.text(), done)
    }

    /// The objects that a command line prints with `--json`, which must succeed.
    pub(crate) async fn json(&self, line: &str) -> Vec<Value> {
        let (printed, done) = self.run(&format!("{line} --json")).await;
        done.unwrap();
        objects(&printed)
    }
}

pub(crate) fn objects(printed: &str) -> Vec<Value> {
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[derive(Parser)]
pub(crate) struct Program {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) operation: Operations,
}

pub(crate) fn parse(line: &str) -> Result<Program, clap::Error> {
    Program::try_parse_from(std::iter::once("counters").chain(line.split_whitespace()))
}

/// What was printed, and when it is to be known at once.
#[derive(Clone, Default)]
pub(crate) struct Printed(Arc<Mutex<Vec<u8>>>);

impl Printed {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

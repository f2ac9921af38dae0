//! What a demo says at its end.

use crate::PublishedReport;
use serde::Serialize;
use std::fmt;

/// What a demo says at its end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DemoReport {
    /// Orders of this burst in the log, also those that an earlier one of the same seed had placed.
    pub orders_placed: u64,
    /// Of these confirmed: all of their articles are reserved.
    pub orders_confirmed: u64,
    /// Of these cancelled because an article had run out.
    pub orders_cancelled: u64,
    /// Pieces promised or sold without being there, over all articles. More than 0 is a failure.
    pub oversold: u64,
    /// Commands sent by the writers: one for each order.
    pub commands: u64,
    /// How many of them had arrived before.
    pub repeated: u64,
    /// How many the domain refused.
    pub rejected: u64,
    /// Over the time from the first to the last of them, while policies and read models followed.
    pub commands_per_second: f64,
    /// Half of the commands were answered within this.
    pub p50_ms: f64,
    /// 95 in 100 were.
    pub p95_ms: f64,
    /// 99 in 100 were.
    pub p99_ms: f64,
    /// The events in the log.
    pub events: u64,
    /// How many events the subscriber furthest behind had still to look at when the last order was placed.
    pub lag_events: u64,
    /// How long it took from there until nothing was left to do.
    pub drain_seconds: f64,
    /// How many events the subscriber furthest behind has still to look at now.
    pub lag_at_end_events: u64,
    /// Documents of the read models that differ from a replay. More than 0 is a failure.
    pub replay_differences: u64,
    /// What a consumer found of what was published, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<PublishedReport>,
}

impl fmt::Display for DemoReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.commands_per_second;
        let repeated = match self.repeated {
            0 => String::new(),
            repeated => format!(", {repeated} of them repeated: an earlier demo of this seed had sent them"),
        };
        let (p50, p95, p99) = (self.p50_ms, self.p95_ms, self.p99_ms);
        writeln!(f, "orders placed      {}", self.orders_placed)?;
        writeln!(f, "  confirmed        {}", self.orders_confirmed)?;
        writeln!(f, "  cancelled        {} for lack of stock", self.orders_cancelled)?;
        writeln!(f, "oversold           {} pieces, by the books of the log alone", self.oversold)?;
        writeln!(f, "commands           {} ({rate:.0} a second){repeated}", self.commands)?;
        if self.rejected > 0 {
            writeln!(f, "  rejected         {}", self.rejected)?;
        }
        writeln!(f, "  answered within  {p50:.1} ms (p50), {p95:.1} ms (p95), {p99:.1} ms (p99)")?;
        writeln!(f, "events in the log  {}", self.events)?;
        writeln!(f, "lag                {} events after the last order", self.lag_events)?;
        writeln!(f, "  drained in       {:.2} s, now {} behind", self.drain_seconds, self.lag_at_end_events)?;
        write!(f, "replay             {} documents differ from what followed", self.replay_differences)?;
        self.published.iter().try_for_each(|published| write!(f, "\n{published}"))
    }
}

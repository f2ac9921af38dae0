//! The commands of a plan, sent.

use super::{
    adjusting::adjust,
    plan::{Command, Plan, Refused, Step},
};
use crate::{
    sending::{Answer, at_once, send},
    work::interruption,
};
use annals::{CommandId, Engine};
use annals_cli::{CliError, Progress};
use futures_util::{StreamExt, TryStreamExt};
use northwind_aggregates::{GoodsReturn, Order, Sku, StockCommand, StockItem};
use std::{pin::pin, sync::Arc};
use tokio_util::sync::CancellationToken;

/// How many invoices are sent at once.
pub const INVOICES_AT_ONCE_MAX: usize = 64;

/// On whose behalf.
const ACTOR: &str = "import";

/// What of a plan is in the log now, from this run or an earlier one.
#[derive(Debug, Default)]
pub(super) struct CarriedOut {
    pub(super) orders: u64,
    pub(super) returns: u64,
    pub(super) adjustments: u64,
    pub(super) charges: u64,
    pub(super) lines_taken: u64,
    /// How many of these commands had arrived before.
    pub(super) repeated: u64,
    /// Lines that the domain refused.
    pub(super) refused: Vec<Refused>,
}

/// Gives each article its opening stock, once however often it is asked for: the command id is made of the article
/// alone. Nothing when `pieces` is 0.
pub(super) async fn open_stock(
    engine: &Arc<Engine>,
    articles: impl IntoIterator<Item = Sku>,
    pieces: u64,
    interrupted: &CancellationToken,
) -> Result<(), CliError> {
    if pieces == 0 {
        return Ok(());
    }
    let receive = |sku: Sku| {
        let engine = engine.clone();
        async move {
            let command = StockCommand::Receive { quantity: pieces, reference: "opening stock".into() };
            let id = CommandId::of_key(&format!("import/opening-stock/{sku}"));
            match send::<StockItem>(&engine, &sku, &command, id, ACTOR).await? {
                Answer::Done(_) => Ok(()),
                Answer::Rejected(reason) => Err(CliError::failed(format!("opening stock of {sku}"), reason)
                    .next("give fewer pieces with --opening-stock; 0 gives none")),
            }
        }
    };
    at_once(articles.into_iter().map(receive), INVOICES_AT_ONCE_MAX, interrupted).try_collect().await
}

/// Sends the steps of `plan`, each under its id, about in the order of the file.
pub(super) async fn carry_out(
    engine: &Arc<Engine>,
    plan: Plan,
    progress: &Progress,
    interrupted: &CancellationToken,
) -> Result<CarriedOut, CliError> {
    let all = plan.commands();
    let going = plan.steps.into_iter().map(|step| {
        let engine = engine.clone();
        async move {
            let answer = step.send(&engine).await?;
            Ok::<_, CliError>((step, answer))
        }
    });
    let mut answers = pin!(at_once(going, INVOICES_AT_ONCE_MAX, interrupted).enumerate());
    let mut done = CarriedOut::default();
    while let Some((count, answered)) = answers.next().await {
        let (step, answer) = answered?;
        done.count(step, answer);
        progress.at(count as u64 + 1, all);
    }
    if interrupted.is_cancelled() {
        return Err(interruption());
    }
    Ok(done)
}

impl Step {
    async fn send(&self, engine: &Engine) -> Result<Answer, CliError> {
        let id = self.id;
        match &self.command {
            Command::Place(place) => send::<Order>(engine, &self.invoice, place, id, ACTOR).await,
            Command::Accept(accept) => send::<GoodsReturn>(engine, &self.invoice, accept, id, ACTOR).await,
            Command::Adjust(sku, command) => adjust(engine, sku, command, id, ACTOR).await,
        }
    }
}

impl CarriedOut {
    fn count(&mut self, step: Step, answer: Answer) {
        match answer {
            Answer::Rejected(reason) => {
                let Step { invoice, lines, .. } = step;
                let refuse = |line| Refused { line, invoice: invoice.clone(), reason: reason.clone() };
                self.refused.extend(lines.into_iter().map(refuse));
            }
            Answer::Done(done) => {
                match step.command {
                    Command::Place(_) => self.orders += 1,
                    Command::Accept(_) => self.returns += 1,
                    Command::Adjust(..) => self.adjustments += 1,
                }
                self.charges += step.charges;
                self.lines_taken += step.lines.len() as u64;
                self.repeated += u64::from(done.repeated);
            }
        }
    }
}

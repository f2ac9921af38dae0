//! The command `northwind import`.

use super::{
    Plan, Refused, Table,
    carry_out::{CarriedOut, carry_out, open_stock},
};
use crate::{
    PublishedReport,
    publishing::{PublishTo, Publishing},
    shop,
    work::{Work, watch},
};
use annals::{Position, error_text};
use annals_cli::{Access, CliError, Global, Output, Stores};
use clap::Args;
use northwind_aggregates::PIECES_MAX;
use serde::Serialize;
use std::{fmt, path::PathBuf, sync::Arc, time::Instant};
use tokio_util::sync::CancellationToken;

/// How many refused lines are told without `--verbose`.
const REFUSED_TOLD_MAX: usize = 20;

/// Import a week of invoices from a CSV file; importing it again changes nothing
#[derive(Debug, Clone, Args)]
pub struct Import {
    /// Columns: InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country
    pub file: PathBuf,

    /// Pieces that each article of the file has received before, once for good; the default is enough for any week
    #[arg(long, value_name = "PIECES", default_value_t = 100_000,
        value_parser = clap::value_parser!(u64).range(..=PIECES_MAX))]
    pub opening_stock: u64,

    /// Tell every line that is refused; with --json one object each (line, invoice, reason) before the last
    #[arg(long)]
    pub verbose: bool,

    /// Whether to publish the events, and see what a consumer finds.
    #[command(flatten)]
    pub publish: PublishTo,
}

/// What an import says at its end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportReport {
    /// Orders of the file that are in the log, from this run or an earlier one.
    pub orders: u64,
    /// Returns, likewise.
    pub returns: u64,
    /// Stock adjustments, likewise.
    pub adjustments: u64,
    /// Lines that are postage, fees or discounts on them.
    pub charges: u64,
    /// Data lines that are in the log.
    pub lines_taken: u64,
    /// Data lines that are not; together with `lines_taken` all of the file.
    pub lines_refused: u64,
    /// How many of the orders, returns and adjustments an earlier run had brought in.
    pub repeated: u64,
    /// Articles with an opening stock.
    pub skus: u64,
    /// The events in the log now.
    pub events: u64,
    /// How long it took.
    pub seconds: f64,
    /// What a consumer found of what was published, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<PublishedReport>,
}

impl Import {
    /// Reads and judges the file, then sends what it asks for while policies and read models follow, and ends when
    /// nothing is left to do.
    ///
    /// # Errors
    /// Wrong usage when the file cannot be imported at all: then no store is opened or made.
    pub async fn run(&self, global: &Global, interrupted: &CancellationToken) -> Result<(), CliError> {
        let began = Instant::now();
        let table = Table::read(&self.file);
        let plan = Plan::of(
            &table.map_err(|error| CliError::usage("import", error_text(&error)).next(error.next_step()))?,
        );
        let (lines, skus) = (plan.lines, plan.articles.len() as u64);
        let mut output = Output::stdout(global);
        let publishing = self.publish.reach().await?;
        let (done, head, published) =
            self.carry_out(plan, global, &output, publishing.as_ref(), interrupted).await?;
        self.tell(&done.refused, &mut output)?;
        let CarriedOut { orders, returns, adjustments, charges, lines_taken, repeated, .. } = done;
        let report = ImportReport {
            orders,
            returns,
            adjustments,
            charges,
            lines_taken,
            lines_refused: lines - lines_taken,
            repeated,
            skus,
            events: head.get(),
            seconds: began.elapsed().as_secs_f64(),
            published,
        };
        output.answer(&report, ImportReport::to_string)?;
        output.flush()?;
        if report.lines_taken == 0 {
            let reason = format!("none of its {lines} lines could be taken");
            let next = "see why with --verbose: columns, dates or numbers may have another form";
            return Err(CliError::failed(self.file.display(), reason).next(next));
        }
        report.published.as_ref().map_or(Ok(()), PublishedReport::judge)?;
        if !global.json {
            let stores = global.stores_again();
            let next = ["query sales-per-day", "query sales-per-sku", "check"]
                .map(|command| format!("northwind {command}{stores}"));
            output.note(format_args!("next: {}", next.join(" · ")));
            if let Some(published) = &report.published {
                output.note(published.next_steps(&stores));
            }
        }
        Ok(())
    }

    async fn carry_out(
        &self,
        mut plan: Plan,
        global: &Global,
        output: &Output,
        publishing: Option<&Publishing>,
        interrupted: &CancellationToken,
    ) -> Result<(CarriedOut, Position, Option<PublishedReport>), CliError> {
        let service = Arc::new(shop());
        let stores = Stores::open(&service, global, Access::Create).await?;
        let engine = service.engine(&stores);
        let progress = output.progress("importing");
        let _watching = watch(&progress, "importing", &stores, &service);
        let work = Work::begin(&service, &stores, &engine).publishing(publishing);
        let (articles, mut refused) = (std::mem::take(&mut plan.articles), std::mem::take(&mut plan.refused));
        let sending = async {
            open_stock(&engine, articles, self.opening_stock, interrupted).await?;
            carry_out(&engine, plan, &progress, interrupted).await
        };
        let (mut done, head) = work.through(sending, interrupted).await?;
        progress.done();
        done.refused.append(&mut refused);
        done.refused.sort_by_key(|refused| refused.line);
        let published = match publishing {
            None => None,
            Some(publishing) => Some(publishing.prove(&stores, interrupted).await?),
        };
        Ok((done, head, published))
    }

    fn tell(&self, refused: &[Refused], output: &mut Output) -> Result<(), CliError> {
        for line in refused {
            if self.verbose {
                output.answer(line, Refused::to_string)?;
            }
        }
        if self.verbose {
            return Ok(());
        }
        refused.iter().take(REFUSED_TOLD_MAX).for_each(|line| output.note(line));
        if refused.len() > REFUSED_TOLD_MAX {
            let more = refused.len() - REFUSED_TOLD_MAX;
            output.note(format_args!("… and {more} more refused lines: see all with --verbose"));
        }
        Ok(())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} refused: {}", self.line, self.reason)
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { orders, returns, adjustments, charges, .. } = self;
        writeln!(
            f,
            "{orders} orders, {returns} returns, {adjustments} stock adjustments, {charges} charges"
        )?;
        writeln!(f, "{} lines taken, {} refused", self.lines_taken, self.lines_refused)?;
        writeln!(f, "{} of these commands had arrived before", self.repeated)?;
        write!(f, "{} articles, {} events in the log, {:.1} s", self.skus, self.events, self.seconds)?;
        self.published.iter().try_for_each(|published| write!(f, "\n{published}"))
    }
}

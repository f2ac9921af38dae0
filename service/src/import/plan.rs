//! What a table asks for: commands, and lines that cannot be taken. Pure; nothing is written yet.

use super::{
    columns::Fields,
    invoice::Invoice,
    table::{Row, Table},
};
use annals::CommandId;
use northwind_aggregates::{OrderCommand, ReturnCommand, Sku, StockCommand};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};

/// Everything that an import will do, in the order of the file.
#[derive(Debug)]
pub struct Plan {
    /// The articles of all steps: each needs an opening stock.
    pub(super) articles: BTreeSet<Sku>,
    pub(super) steps: Vec<Step>,
    /// Lines that cannot be taken.
    pub(super) refused: Vec<Refused>,
    /// Data lines of the file.
    pub(super) lines: u64,
}

/// One command, and the lines of the file that are in it.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) invoice: String,
    /// Made of all that the command says: the same file leads to the same ids.
    pub(super) id: CommandId,
    pub(super) lines: Vec<u64>,
    /// How many of the lines are charges.
    pub(super) charges: u64,
    pub(super) command: Command,
}

#[derive(Debug, PartialEq)]
pub(super) enum Command {
    Place(OrderCommand),
    Accept(ReturnCommand),
    Adjust(Sku, StockCommand),
}

/// A line of the file that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// Its number in the file; the header is line 1.
    pub line: u64,
    /// The invoice it stands on; may be empty.
    pub invoice: String,
    /// Why it cannot be taken.
    pub reason: String,
}

impl Plan {
    /// Sorts the lines of `table` by invoice and judges each; keeps the order of the file.
    pub fn of(table: &Table) -> Self {
        let mut plan =
            Self { articles: BTreeSet::new(), steps: vec![], refused: vec![], lines: table.lines() };
        for (number, rows) in plan.by_invoice(table) {
            Invoice::judge(number, &rows, &mut plan.refused).into_steps(&mut plan.steps, &mut plan.refused);
        }
        plan.articles = plan.steps.iter().flat_map(|step| step.command.articles()).collect();
        plan.refused.sort_by_key(|refused| refused.line);
        plan
    }

    /// How many commands it holds, those for the opening stock aside.
    pub fn commands(&self) -> u64 {
        self.steps.len() as u64
    }

    /// The lines of each invoice, which need not stand together.
    fn by_invoice<'a>(&mut self, table: &'a Table) -> Vec<(&'a str, Vec<(u64, Fields<'a>)>)> {
        let mut invoices: Vec<(&str, Vec<_>)> = vec![];
        let mut places = HashMap::new();
        for Row { line, fields } in &table.rows {
            match table.columns.fields(fields) {
                Ok(fields) => {
                    let place = *places.entry(fields.invoice).or_insert(invoices.len());
                    if place == invoices.len() {
                        invoices.push((fields.invoice, vec![]));
                    }
                    invoices[place].1.push((*line, fields));
                }
                Err(reason) => {
                    let invoice = fields.get(0).unwrap_or_default().into();
                    self.refused.push(Refused { line: *line, invoice, reason });
                }
            }
        }
        invoices
    }
}

impl Command {
    fn articles(&self) -> Vec<Sku> {
        match self {
            Self::Place(OrderCommand::Place { lines, .. })
            | Self::Accept(ReturnCommand::Accept { lines, .. }) => {
                lines.iter().map(|line| line.sku.clone()).collect()
            }
            Self::Adjust(sku, _) => vec![sku.clone()],
            Self::Place(_) => vec![],
        }
    }
}

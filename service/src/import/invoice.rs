//! The lines of one invoice, sorted into what they ask for.

use super::{
    columns::Fields,
    command_id::{adjustment, adjustment_id, bill_id},
    item::{Article, Item},
    plan::{Command, Refused, Step},
};
use annals::{Aggregate, CommandId, StreamId};
use chrono::{DateTime, Utc};
use northwind_aggregates::{
    Charge, Currency, GoodsReturn, Line, Order, OrderCommand, ReturnCommand, Sku, StockCommand, StockItem,
};
use std::collections::HashMap;

/// Of all amounts: the data set has no column for it.
const CURRENCY: Currency = Currency::GBP;

/// The lines of one invoice that can be taken by themselves.
#[derive(Debug)]
pub(super) struct Invoice<'a> {
    number: &'a str,
    /// Told by the first of its lines that could be read.
    head: Option<Head>,
    goods: Vec<(u64, Line)>,
    charges: Vec<(u64, Charge)>,
    adjustments: Vec<(u64, Adjustment)>,
    /// How many adjustments say just the same.
    copies: HashMap<String, u32>,
}

/// What a bill says beside its lines.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) customer: Option<String>,
    pub(super) country: Option<String>,
    pub(super) occurred_at: DateTime<Utc>,
}

#[derive(Debug)]
struct Adjustment {
    id: CommandId,
    sku: Sku,
    command: StockCommand,
}

impl<'a> Invoice<'a> {
    /// Judges each line; those that cannot be taken go to `refused`.
    pub(super) fn judge(number: &'a str, rows: &[(u64, Fields<'a>)], refused: &mut Vec<Refused>) -> Self {
        let (goods, charges, adjustments) = (vec![], vec![], vec![]);
        let copies = HashMap::new();
        let mut invoice = Self { number, head: None, goods, charges, adjustments, copies };
        for ((line, fields), ordinal) in rows.iter().zip(1..) {
            if let Err(reason) = invoice.take(*line, fields, ordinal) {
                refused.push(Refused { line: *line, invoice: number.into(), reason });
            }
        }
        invoice
    }

    /// Its number begins with a C: goods come back.
    fn is_return(&self) -> bool {
        self.number.starts_with('C')
    }

    fn take(&mut self, line: u64, fields: &Fields<'_>, ordinal: u32) -> Result<(), String> {
        let item = Item::judge(fields)?;
        let head = Head {
            customer: (!fields.customer.is_empty()).then(|| fields.customer.into()),
            country: (!fields.country.is_empty()).then(|| fields.country.into()),
            occurred_at: item.occurred_at,
        };
        match &item.article {
            Article::Charge(code) => {
                let sign = if self.is_return() { -1 } else { 1 };
                let charge = item.charge(code, ordinal, sign)?;
                accept(&head, vec![], vec![charge.clone()])?;
                self.charges.push((line, charge));
            }
            Article::Goods(_) if self.is_return() && item.quantity > 0 => {
                return Err(format!(
                    "quantity {} is positive, but invoice {} is a return",
                    item.quantity, self.number
                ));
            }
            Article::Goods(sku) if !self.is_return() && item.quantity < 0 => {
                let command = StockCommand::Adjust { delta: item.quantity, reason: item.description.into() };
                adjust(&command)?;
                let at = item.occurred_at;
                let said = adjustment(self.number, sku, item.quantity, item.description, at);
                let copy = self.copies.entry(said.clone()).or_default();
                *copy += 1;
                let id = adjustment_id(&said, *copy, at);
                self.adjustments.push((line, Adjustment { id, sku: sku.clone(), command }));
            }
            Article::Goods(sku) => {
                let goods = item.goods(sku, ordinal)?;
                accept(&head, vec![goods.clone()], vec![])?;
                self.goods.push((line, goods));
            }
        }
        self.head.get_or_insert(head);
        Ok(())
    }

    /// The commands that its lines ask for.
    pub(super) fn into_steps(mut self, steps: &mut Vec<Step>, refused: &mut Vec<Refused>) {
        let Some(head) = self.head.take() else { return };
        for (line, Adjustment { id, sku, command }) in std::mem::take(&mut self.adjustments) {
            steps.push(Step {
                invoice: self.number.into(),
                id,
                lines: vec![line],
                charges: 0,
                command: Command::Adjust(sku, command),
            });
        }
        let lines: Vec<u64> = self
            .goods
            .iter()
            .map(|(line, _)| *line)
            .chain(self.charges.iter().map(|(line, _)| *line))
            .collect();
        if lines.is_empty() {
            return;
        }
        let (number, charges) = (self.number, self.charges.len() as u64);
        match self.into_bill(&head) {
            Ok((id, command)) => steps.push(Step { invoice: number.into(), id, lines, charges, command }),
            Err(reason) => refused.extend(lines.into_iter().map(|line| Refused {
                line,
                invoice: number.into(),
                reason: reason.clone(),
            })),
        }
    }

    /// One order or return of all goods and charges. The domain itself says whether it can be taken as a whole.
    fn into_bill(self, head: &Head) -> Result<(CommandId, Command), String> {
        let (number, is_return) = (self.number, self.is_return());
        let kind = if is_return { "return" } else { "order" };
        StreamId::new(kind, number)
            .map_err(|error| format!("the invoice number cannot be taken: {error}"))?;
        let lines: Vec<Line> = self.goods.into_iter().map(|(_, line)| line).collect();
        let charges: Vec<Charge> = self.charges.into_iter().map(|(_, charge)| charge).collect();
        let id = bill_id(kind, number, head, &lines, &charges);
        if is_return {
            return Ok((id, Command::Accept(accept(head, lines, charges)?)));
        }
        if lines.is_empty() {
            return Err(format!("invoice {number} has no goods, so there is no order to put the charge on"));
        }
        let Head { customer, country, occurred_at } = head.clone();
        let command =
            OrderCommand::Place { customer, country, currency: CURRENCY, lines, charges, occurred_at };
        Order::default().decide(&command).map_err(|rejection| rejection.to_string())?;
        Ok((id, Command::Place(command)))
    }
}

/// A return, if one could be taken in. Also tells whether a single line or charge fits on any bill.
fn accept(head: &Head, lines: Vec<Line>, charges: Vec<Charge>) -> Result<ReturnCommand, String> {
    let Head { customer, occurred_at, .. } = head.clone();
    let command = ReturnCommand::Accept { customer, currency: CURRENCY, lines, charges, occurred_at };
    GoodsReturn::default().decide(&command).map_err(|rejection| rejection.to_string())?;
    Ok(command)
}

/// Whether the adjustment is one at all. What there is of the article plays no part: the stock answers that by event.
fn adjust(command: &StockCommand) -> Result<(), String> {
    StockItem::default().decide(command).map(drop).map_err(|rejection| rejection.to_string())
}

use annals::{Aggregate, DomainEvent, Keys, ProjectError, Projection, RecordedEvent};
use serde::{Deserialize, Serialize};

/// What happens to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderEvent {
    /// Goods were ordered.
    LineAdded(Line),
    /// Goods came back.
    LineReturned(Line),
}

impl DomainEvent for OrderEvent {
    const CATEGORY: &'static str = "order";
}

/// Some pieces of one article for one customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Who.
    pub customer: String,
    /// Which article.
    pub sku: String,
    /// What people call it.
    pub description: String,
    /// How many pieces.
    pub quantity: u32,
    /// For one piece.
    pub unit_price_minor: u64,
    /// Of the price.
    pub currency: String,
    /// Where to.
    pub country: String,
    /// Where from.
    pub warehouse: String,
    /// By the clock of the shop.
    pub ordered_at: String,
}

impl OrderEvent {
    /// The pieces it is about.
    pub fn line(&self) -> &Line {
        match self {
            Self::LineAdded(line) | Self::LineReturned(line) => line,
        }
    }
}

/// A document: what was sold to a customer, or of an article.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Lines taken in.
    pub lines: u64,
    /// Pieces ordered.
    pub ordered: u64,
    /// Pieces that came back.
    pub returned: u64,
    /// The value of what was ordered.
    pub gross_minor: u64,
    /// The value of what came back.
    pub refund_minor: u64,
    /// Of the last line.
    pub last_ordered_at: String,
    /// Of the last line.
    pub last_sku: String,
}

impl Totals {
    /// Takes one event in.
    pub fn take(&mut self, event: &OrderEvent) {
        let line = event.line();
        let value = u64::from(line.quantity) * line.unit_price_minor;
        let (pieces, sum) = match event {
            OrderEvent::LineAdded(_) => (&mut self.ordered, &mut self.gross_minor),
            OrderEvent::LineReturned(_) => (&mut self.returned, &mut self.refund_minor),
        };
        *pieces += u64::from(line.quantity);
        *sum += value;
        self.lines += 1;
        self.last_ordered_at.clone_from(&line.ordered_at);
        self.last_sku.clone_from(&line.sku);
    }
}

/// One document a customer: many.
#[derive(Debug, Clone)]
pub struct PerCustomer;

/// One document an order: many, and the events of one lie close together in the log.
#[derive(Debug, Clone)]
pub struct PerOrder;

/// One document an article: few, and all are hot.
#[derive(Debug, Clone)]
pub struct PerSku;

impl Projection for PerCustomer {
    const NAME: &'static str = "per-customer";
    type Event = OrderEvent;
    type Document = Totals;

    fn keys(&self, event: &OrderEvent, _: &RecordedEvent) -> Keys {
        event.line().customer.as_str().into()
    }

    fn project(
        &self,
        _: &str,
        before: Option<Totals>,
        event: &OrderEvent,
        _: &RecordedEvent,
    ) -> Result<Option<Totals>, ProjectError> {
        Ok(Some(after(before, event)))
    }
}

impl Projection for PerOrder {
    const NAME: &'static str = "per-order";
    type Event = OrderEvent;
    type Document = Totals;

    fn keys(&self, _: &OrderEvent, recorded: &RecordedEvent) -> Keys {
        recorded.stream.key().into()
    }

    fn project(
        &self,
        _: &str,
        before: Option<Totals>,
        event: &OrderEvent,
        _: &RecordedEvent,
    ) -> Result<Option<Totals>, ProjectError> {
        Ok(Some(after(before, event)))
    }
}

impl Projection for PerSku {
    const NAME: &'static str = "per-sku";
    type Event = OrderEvent;
    type Document = Totals;

    fn keys(&self, event: &OrderEvent, _: &RecordedEvent) -> Keys {
        event.line().sku.as_str().into()
    }

    fn project(
        &self,
        _: &str,
        before: Option<Totals>,
        event: &OrderEvent,
        _: &RecordedEvent,
    ) -> Result<Option<Totals>, ProjectError> {
        Ok(Some(after(before, event)))
    }
}

fn after(before: Option<Totals>, event: &OrderEvent) -> Totals {
    let mut totals = before.unwrap_or_default();
    totals.take(event);
    totals
}

/// An order, for commands end to end.
#[derive(Debug, Default, Clone)]
pub struct Order {
    pieces: u64,
    gross_minor: u64,
}

/// The command to add a line.
#[derive(Debug)]
pub struct AddLine(pub Line);

/// The order is full.
#[derive(Debug, thiserror::Error)]
#[error("an order of {pieces} pieces takes no more")]
pub struct Full {
    pieces: u64,
}

/// More pieces than any run orders.
const PIECES_MAX: u64 = 1 << 40;

impl Aggregate for Order {
    type Id = str;
    type Command = AddLine;
    type Event = OrderEvent;
    type Rejection = Full;

    fn decide(&self, AddLine(line): &AddLine) -> Result<Vec<OrderEvent>, Full> {
        if self.pieces > PIECES_MAX {
            return Err(Full { pieces: self.pieces });
        }
        Ok(vec![OrderEvent::LineAdded(line.clone())])
    }

    fn evolve(&mut self, event: &OrderEvent) {
        let line = event.line();
        self.pieces += u64::from(line.quantity);
        self.gross_minor += u64::from(line.quantity) * line.unit_price_minor;
    }
}

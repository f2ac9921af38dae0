//! What was sold and came back of each article.

use crate::{Takings, TradeEvent};
use annals::{Column, Keys, ProjectError, Projection, RecordedEvent};
use northwind_aggregates::{Currency, Line, OrderEvent, ReturnEvent};
use serde::{Deserialize, Serialize};

/// The read model `sales-per-sku`, by article number in upper case.
#[derive(Debug, Clone, Copy, Default)]
pub struct SalesPerSku;

/// One article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalesPerSkuDocument {
    /// Its key.
    pub sku: String,
    /// Pieces on orders as placed.
    pub ordered: u64,
    /// Pieces that came back.
    pub returned: u64,
    /// What they were sold and came back for.
    #[serde(flatten)]
    pub takings: Takings,
}

impl Projection for SalesPerSku {
    const NAME: &'static str = "sales-per-sku";

    const COLUMNS: &'static [Column] = &[
        Column::integer("ordered"),
        Column::integer("returned"),
        Column::text("currency"),
        Column::integer("gross_minor").indexed(),
        Column::integer("refund_minor"),
        Column::json("other_currencies"),
    ];

    type Event = TradeEvent;
    type Document = SalesPerSkuDocument;

    fn keys(&self, event: &TradeEvent, _: &RecordedEvent) -> Keys {
        match Goods::of(event) {
            Some(Goods::Sold(lines, _) | Goods::Returned(lines, _)) => {
                lines.iter().map(|line| line.sku.as_str()).collect()
            }
            None => Keys::none(),
        }
    }

    fn project(
        &self,
        key: &str,
        before: Option<SalesPerSkuDocument>,
        event: &TradeEvent,
        _: &RecordedEvent,
    ) -> Result<Option<SalesPerSkuDocument>, ProjectError> {
        let Some(goods) = Goods::of(event) else { return Ok(before) };
        let (Goods::Sold(lines, currency) | Goods::Returned(lines, currency)) = goods;
        let mut article = before.unwrap_or_else(|| empty(key, currency));
        let of_article = || lines.iter().filter(|line| line.sku.as_str() == key);
        let pieces: u64 = of_article().map(|line| u64::from(line.quantity)).sum();
        match goods {
            Goods::Sold(..) => {
                article.ordered = article.ordered.saturating_add(pieces);
                article.takings.sell(of_article(), currency)?;
            }
            Goods::Returned(..) => {
                article.returned = article.returned.saturating_add(pieces);
                article.takings.refund(of_article(), currency)?;
            }
        }
        Ok(Some(article))
    }
}

/// Goods that an event sells or brings back.
#[derive(Clone, Copy)]
enum Goods<'a> {
    Sold(&'a [Line], Currency),
    Returned(&'a [Line], Currency),
}

impl<'a> Goods<'a> {
    fn of(event: &'a TradeEvent) -> Option<Self> {
        match event {
            TradeEvent::Order(OrderEvent::Placed { lines, currency, .. }) => {
                Some(Self::Sold(lines, *currency))
            }
            TradeEvent::Order(OrderEvent::Returned { lines, currency, .. })
            | TradeEvent::Return(ReturnEvent::Accepted { lines, currency, .. }) => {
                Some(Self::Returned(lines, *currency))
            }
            TradeEvent::Order(_) => None,
        }
    }
}

fn empty(sku: &str, currency: Currency) -> SalesPerSkuDocument {
    SalesPerSkuDocument { sku: sku.into(), ordered: 0, returned: 0, takings: Takings::in_currency(currency) }
}

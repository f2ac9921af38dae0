//! Commands on orders.

use super::{accepted::Accepted, app::App, key::IdempotencyKey, problem::Problem};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{MethodRouter, post},
};
use chrono::{DateTime, Utc};
use northwind_aggregates::{Charge, Currency, Line, Order, OrderCommand, OrderRejection, Sku};
use serde::{Deserialize, Serialize};

/// An order as a client places it. Lines are numbered as they come, charges behind them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewOrder {
    /// Who orders; none for a guest.
    customer: Option<String>,
    /// Where to.
    country: Option<String>,
    /// Of all its amounts.
    currency: Currency,
    lines: Vec<NewLine>,
    #[serde(default)]
    charges: Vec<NewCharge>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLine {
    sku: Sku,
    #[serde(default)]
    description: String,
    quantity: u32,
    unit_price_minor: i64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCharge {
    code: String,
    #[serde(default)]
    description: String,
    amount_minor: i64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancellation {
    reason: String,
}

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/orders", post(place))
        .route("/orders/{order}/cancel", post(cancel))
        .route("/orders/{order}/ship", step("ship", |occurred_at| OrderCommand::Ship { occurred_at }))
        .route(
            "/orders/{order}/deliver",
            step("deliver", |occurred_at| OrderCommand::Deliver { occurred_at }),
        )
        .route("/orders/{order}/return", step("return", |occurred_at| OrderCommand::Return { occurred_at }))
}

/// The number of the order follows from the key, so that whoever lost the answer asks again and gets it.
async fn place(
    State(app): State<App>,
    key: IdempotencyKey,
    Json(order): Json<NewOrder>,
) -> Result<Accepted, Problem> {
    app.carry_out::<Order>(&key.order_number(), &order.command(), &key, &order, status).await
}

async fn cancel(
    State(app): State<App>,
    Path(order): Path<String>,
    key: IdempotencyKey,
    Json(said): Json<Cancellation>,
) -> Result<Accepted, Problem> {
    let command = OrderCommand::Cancel { reason: said.reason.clone(), occurred_at: Utc::now() };
    app.carry_out::<Order>(&order, &command, &key, &("cancel", said), status).await
}

/// A move of an order that says nothing but its name.
fn step(asked: &'static str, command: fn(DateTime<Utc>) -> OrderCommand) -> MethodRouter<App> {
    post(move |State(app): State<App>, Path(order): Path<String>, key: IdempotencyKey| async move {
        app.carry_out::<Order>(&order, &command(Utc::now()), &key, &asked, status).await
    })
}

/// With which status a rejection is told: what is not there, what comes at the wrong time, what is wrong in itself.
fn status(rejection: &OrderRejection) -> StatusCode {
    match rejection {
        OrderRejection::NotPlaced => StatusCode::NOT_FOUND,
        OrderRejection::AlreadyPlaced { .. } | OrderRejection::NotNow { .. } => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

impl NewOrder {
    fn command(&self) -> OrderCommand {
        let lines = (1..).zip(&self.lines).map(|(line, new)| Line {
            line,
            sku: new.sku.clone(),
            description: new.description.clone(),
            quantity: new.quantity,
            unit_price_minor: new.unit_price_minor,
        });
        let charges = (1..).skip(self.lines.len()).zip(&self.charges).map(|(line, new)| Charge {
            line,
            code: new.code.clone(),
            description: new.description.clone(),
            quantity: 1,
            amount_minor: new.amount_minor,
        });
        OrderCommand::Place {
            customer: self.customer.clone(),
            country: self.country.clone(),
            currency: self.currency,
            lines: lines.collect(),
            charges: charges.collect(),
            occurred_at: Utc::now(),
        }
    }
}

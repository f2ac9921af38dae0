//! Commands on the stock.

use super::{accepted::Accepted, app::App, key::IdempotencyKey, problem::Problem};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use northwind_aggregates::{Sku, StockCommand, StockItem};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Delivery {
    quantity: u64,
    /// What brought them, as the number of a delivery note.
    reference: String,
}

pub(super) fn routes() -> Router<App> {
    Router::new().route("/stock/{sku}/receive", post(receive))
}

async fn receive(
    State(app): State<App>,
    Path(sku): Path<String>,
    key: IdempotencyKey,
    Json(delivery): Json<Delivery>,
) -> Result<Accepted, Problem> {
    let sku = Sku::new(&sku).map_err(|error| Problem::plain(StatusCode::BAD_REQUEST, error.to_string()))?;
    let command =
        StockCommand::Receive { quantity: delivery.quantity, reference: delivery.reference.clone() };
    let unprocessable = |_: &_| StatusCode::UNPROCESSABLE_ENTITY;
    app.carry_out::<StockItem>(&sku, &command, &key, &("receive", delivery), unprocessable).await
}

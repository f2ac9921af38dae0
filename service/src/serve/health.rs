//! Whether the service can do its work.

use super::{app::App, problem::Problem};
use annals::Position;
use annals_cli::lags;
use axum::{Json, Router, extract::State, routing::get};
use serde::Serialize;

/// 200 while the log can be read, also when a subscriber is behind or failing: commands are taken all the same.
#[derive(Debug, Serialize)]
struct Health {
    /// `ok`, or `failing` while a subscriber fails.
    status: &'static str,
    head: Option<Position>,
    subscribers: Vec<Subscriber>,
}

#[derive(Debug, Serialize)]
struct Subscriber {
    name: String,
    events_behind: Option<u64>,
    seconds_behind: Option<f64>,
    parked: u64,
    /// Why is told by `northwind lag`.
    failing: bool,
}

pub(super) fn routes() -> Router<App> {
    Router::new().route("/health", get(health))
}

async fn health(State(app): State<App>) -> Result<Json<Health>, Problem> {
    let lags = lags(&app.service, &app.stores).await.map_err(|error| {
        tracing::error!(%error, "the service is not healthy");
        Problem::for_now("the stores cannot be read: see the service's log")
    })?;
    let failing = lags.iter().any(|lag| lag.failure.is_some());
    let status = if failing { "failing" } else { "ok" };
    let head = lags.iter().filter_map(|lag| lag.head).max();
    let subscribers = lags.into_iter().map(|lag| Subscriber {
        name: lag.name,
        events_behind: lag.events_behind,
        seconds_behind: lag.seconds_behind,
        parked: lag.parked,
        failing: lag.failure.is_some(),
    });
    Ok(Json(Health { status, head, subscribers: subscribers.collect() }))
}

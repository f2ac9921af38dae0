//! Queries: documents of read models.

use super::{accepted::in_path, app::App, problem::Problem};
use annals::{PageLimit, Position, Projection, ReadModel, wait_for};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    routing::get,
};
use northwind_projections::{CustomerOrders, Orders, SalesPerDay, SalesPerSku, Stock};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How many documents a page holds when nothing else is asked for.
pub const PAGE_DEFAULT: u64 = 100;

/// The largest page.
pub const PAGE_MAX: u64 = 1_000;

/// How long a query waits for a read model to reach the `position` that it asks for.
pub const WAIT_MAX: Duration = Duration::from_secs(5);

/// A query for one document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    /// Answer only when the read model has handled the log up to here.
    position: Option<Position>,
}

/// A query for many.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Many {
    /// Behind this key.
    after: Option<String>,
    limit: Option<u64>,
    /// As in [`One`].
    position: Option<Position>,
}

/// Documents ordered by the bytes of their keys.
#[derive(Debug, Serialize)]
struct Page<D> {
    items: Vec<D>,
    /// Where there are more, perhaps.
    next: Option<String>,
}

pub(super) fn routes() -> Router<App> {
    Router::new()
        .merge(of::<Orders>())
        .merge(of::<Stock>())
        .merge(of::<CustomerOrders>())
        .merge(of::<SalesPerDay>())
        .merge(of::<SalesPerSku>())
}

fn of<P: Projection>() -> Router<App> {
    Router::new()
        .route(&format!("/{}", P::NAME), get(many::<P>))
        .route(&format!("/{}/{{key}}", P::NAME), get(one::<P>))
}

async fn one<P: Projection>(
    State(app): State<App>,
    Path(key): Path<String>,
    Query(query): Query<One>,
) -> Result<Json<P::Document>, Problem> {
    reached::<P>(&app, query.position).await?;
    let found = read_model::<P>(&app).get(&key).await.map_err(|error| Problem::of_reading(&error))?;
    found.map(Json).ok_or_else(|| {
        let detail = format!("{} has nothing under {key:?}: it is unknown, or not there yet", P::NAME);
        Problem::new(StatusCode::NOT_FOUND, "/problems/not-found", detail)
    })
}

async fn many<P: Projection>(
    State(app): State<App>,
    Query(query): Query<Many>,
) -> Result<Json<Page<P::Document>>, Problem> {
    let asked = query.limit.unwrap_or(PAGE_DEFAULT);
    let limit = PageLimit::new(asked).ok().filter(|_| asked <= PAGE_MAX).ok_or_else(|| {
        Problem::plain(StatusCode::BAD_REQUEST, format!("limit is {asked}: 1 to {PAGE_MAX} are allowed"))
    })?;
    reached::<P>(&app, query.position).await?;
    let page = read_model::<P>(&app).page(query.after.as_deref(), limit).await;
    let page = page.map_err(|error| Problem::of_reading(&error))?;
    let last = page.last().filter(|_| page.len() == limit.get());
    let next = last.map(|(key, _)| format!("/{}?after={}&limit={asked}", P::NAME, in_path(key)));
    Ok(Json(Page { items: page.into_iter().map(|(_, document)| document).collect(), next }))
}

fn read_model<P: Projection>(app: &App) -> ReadModel<P> {
    ReadModel::new(app.stores.documents.clone())
}

/// Waits until the read model has come to `position`, where one is asked for.
async fn reached<P: Projection>(app: &App, position: Option<Position>) -> Result<(), Problem> {
    let Some(position) = position else { return Ok(()) };
    let waited = wait_for(&*app.stores.documents, P::NAME, position, WAIT_MAX).await;
    waited.map_err(|error| Problem::of_waiting(&error))
}

use super::{app::App, health, orders, problem::told_as_problems, read_models, stock};
use crate::{shop, work::Work};
use annals_cli::{Access, CliError, Global, Output, Stores};
use axum::{Router, extract::DefaultBodyLimit, http::StatusCode, middleware};
use clap::Args;
use serde::Serialize;
use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::timeout::TimeoutLayer;

/// The largest body of a request: room for an order of the most lines.
pub const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// How many commands are carried out at once; more wait, within [`REQUEST_MAX`].
pub const COMMANDS_AT_ONCE_MAX: usize = 1_024;

/// How long a request may take; then it is answered with 503, and can be sent again.
pub const REQUEST_MAX: Duration = Duration::from_secs(15);

/// How long a service that was asked to end waits for the requests in hand.
pub const FINISH_MAX: Duration = Duration::from_secs(20);

/// Serve the shop over HTTP: commands in, read models out. No TLS and no authentication of its own
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
}

/// Printed as soon as requests are taken.
#[derive(Debug, Serialize)]
struct Listening {
    listening: String,
}

impl Serve {
    /// Serves until `interrupted`, with policies and read models following. Then no connection is taken any more,
    /// requests in hand are finished, and leases given back.
    ///
    /// # Errors
    /// When the stores cannot be opened, or the address cannot be had.
    pub async fn run(&self, global: &Global, interrupted: &CancellationToken) -> Result<(), CliError> {
        let service = Arc::new(shop());
        let stores = Stores::open(&service, global, Access::Create).await?;
        let (listener, address) = self.bind().await?;
        let mut output = Output::stdout(global);
        output.answer(&Listening { listening: format!("http://{address}") }, Listening::to_string)?;
        output.flush()?;
        if !address.ip().is_loopback() {
            output.note("there is no TLS and no authentication here: let only a gateway reach this address");
        }
        let engine = service.engine(&stores);
        let work = Work::begin(&service, &stores, &engine);
        let broken = work.broken();
        let ending = CancellationToken::new();
        let router = router(App { service: service.clone(), stores: stores.clone(), engine: engine.clone() });
        let serving = axum::serve(listener, router).with_graceful_shutdown(ending.clone().cancelled_owned());
        let served = tokio::select! {
            served = serving => served.map_err(|error| CliError::because(format!("http://{address}"), &error)),
            () = overdue(interrupted, &broken, &ending) => {
                output.note(format_args!("requests that took longer than {FINISH_MAX:?} were cut off"));
                Ok(())
            }
        };
        let stopped = work.stop().await;
        engine.snapshots_kept().await;
        served.and(stopped)
    }

    async fn bind(&self) -> Result<(TcpListener, SocketAddr), CliError> {
        let failed = |error: std::io::Error| {
            CliError::because(self.listen, &error)
                .next("listen elsewhere with --listen ADDRESS:PORT; port 0 takes a free one")
        };
        let listener = TcpListener::bind(self.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok((listener, address))
    }
}

/// Has the server end when it is asked to, or when a policy or projection is broken; done when it does not end in time.
async fn overdue(asked: &CancellationToken, broken: &CancellationToken, ending: &CancellationToken) {
    tokio::select! {
        () = asked.cancelled() => {}
        () = broken.cancelled() => {}
    }
    ending.cancel();
    tokio::time::sleep(FINISH_MAX).await;
}

fn router(app: App) -> Router {
    let commands = Router::new().merge(orders::routes()).merge(stock::routes());
    let commands = commands.layer(GlobalConcurrencyLimitLayer::new(COMMANDS_AT_ONCE_MAX));
    commands
        .merge(read_models::routes())
        .merge(health::routes())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_MAX))
        .layer(middleware::from_fn(told_as_problems))
        .with_state(app)
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "listening on {}", self.listening)
    }
}

//! Ctrl-c and SIGTERM.

use tokio_util::sync::CancellationToken;

/// What a shell tells of a program that was ended by ctrl-c.
const INTERRUPTED: i32 = 130;

/// Is cancelled by the first ctrl-c or SIGTERM; the second ends the program at once.
pub fn interrupted() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        match asked_to_end().await {
            Ok(()) => {
                cancelled.cancel();
                if asked_to_end().await.is_ok() {
                    std::process::exit(INTERRUPTED);
                }
            }
            // Where signals cannot be had, they end the program as they always did.
            Err(error) => tracing::warn!(%error, "ctrl-c will end the program at once"),
        }
    });
    token
}

/// Until somebody at the terminal or a supervisor wants the program to end.
async fn asked_to_end() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            ended = tokio::signal::ctrl_c() => ended,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

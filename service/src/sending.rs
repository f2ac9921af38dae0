//! Sending many commands at once.

use annals::{Aggregate, COMMAND_ATTEMPTS_MAX, CommandId, Context, Done, Engine, ExecuteError};
use annals_cli::CliError;
use futures_util::{Stream, StreamExt, stream};
use std::future::Future;
use tokio_util::sync::CancellationToken;

/// What became of a command that was carried out: the domain may have said no.
#[derive(Debug)]
pub(crate) enum Answer {
    Done(Done),
    Rejected(String),
}

/// Sends a command on behalf of `actor`; again when other processes were faster, at most
/// [`COMMAND_ATTEMPTS_MAX`] times.
pub(crate) async fn send<A: Aggregate>(
    engine: &Engine,
    id: &A::Id,
    command: &A::Command,
    command_id: CommandId,
    actor: &str,
) -> Result<Answer, CliError> {
    let mut attempt = 1;
    loop {
        let context = Context::of(command_id).actor(actor);
        return match engine.execute::<A>(id, command, context).await {
            Ok(done) => Ok(Answer::Done(done)),
            Err(ExecuteError::Rejected(rejection)) => Ok(Answer::Rejected(rejection.to_string())),
            Err(ExecuteError::Contended { .. }) if attempt < COMMAND_ATTEMPTS_MAX => {
                attempt += 1;
                continue;
            }
            Err(error) => Err(CliError::because(id, &error).next("run the same command again: it goes on")),
        };
    }
}

/// Starts each of `commands` in a task of its own, at most `at_once` at a time, until `interrupted`: then the ones
/// under way are finished and no more begun. Results come as they are ready.
pub(crate) fn at_once<F>(
    commands: impl Iterator<Item = F>,
    at_once: usize,
    interrupted: &CancellationToken,
) -> impl Stream<Item = F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let going = commands.take_while(|_| !interrupted.is_cancelled()).map(tokio::spawn);
    stream::iter(going).buffer_unordered(at_once).map(|ended| match ended {
        Ok(output) => output,
        // Nothing cancels these tasks, so whatever ended one was a panic of its own.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    })
}

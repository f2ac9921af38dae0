//! What went wrong, as a problem document (RFC 9457).

use annals::{ExecuteError, Failure, ReadError, StoreError, WaitError, error_text};
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use problem_details::ProblemDetails;
use std::error::Error;

/// After how many seconds to try again what failed for now.
const RETRY_AFTER_SECONDS: u16 = 1;

/// The longest text of a framework's own error that becomes a detail, in bytes.
const DETAIL_BYTES_MAX: usize = 4_096;

/// An answer that says why not.
#[derive(Debug)]
pub(super) struct Problem(Box<ProblemDetails>);

impl Problem {
    /// A problem of the type `kind`, a URI relative to the service.
    pub(super) fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        let details = ProblemDetails::from_status_code(status).with_detail(detail.into());
        Self(Box::new(details.with_type(Uri::from_static(kind))))
    }

    /// One of no type but its status.
    pub(super) fn plain(status: StatusCode, detail: impl Into<String>) -> Self {
        Self(Box::new(ProblemDetails::from_status_code(status).with_detail(detail.into())))
    }

    /// Something that the client can do nothing about. It is logged; the client learns only that it was.
    pub(super) fn failed(error: &dyn Error) -> Self {
        tracing::error!(error = error_text(error), "a request failed");
        let detail = "something is broken here, and was logged: whoever runs the service has to look into it";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "/problems/failed", detail)
    }

    /// Something that may pass.
    pub(super) fn for_now(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "/problems/try-again", detail)
    }

    pub(super) fn key_reused() -> Self {
        let detail =
            "another request came under this Idempotency-Key: send each request under a key of its own";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "/problems/idempotency-key-reused", detail)
    }

    pub(super) fn of_command<R: Error>(
        error: ExecuteError<R>,
        refused: impl FnOnce(&R) -> StatusCode,
    ) -> Self {
        match error {
            ExecuteError::Rejected(rejection) => {
                Self::new(refused(&rejection), "/problems/rejected", error_text(&rejection))
            }
            ExecuteError::Contended { .. } => {
                Self::for_now("others kept changing it: send the request again")
            }
            ExecuteError::Failed(Failure::Stream(error)) => {
                Self::plain(StatusCode::BAD_REQUEST, error.to_string())
            }
            ExecuteError::Failed(failure) if failure.is_transient() => {
                tracing::warn!(error = error_text(&failure), "a command failed for now");
                Self::for_now("the log could not be written: send the request again, under the same key")
            }
            failed => Self::failed(&failed),
        }
    }

    pub(super) fn of_store(error: &StoreError) -> Self {
        if !error.is_transient() {
            return Self::failed(error);
        }
        tracing::warn!(error = error_text(error), "a request failed for now");
        Self::for_now("the stores cannot be read for now: send the request again")
    }

    pub(super) fn of_reading(error: &ReadError) -> Self {
        match error {
            ReadError::Store(error) => Self::of_store(error),
            ReadError::Missing { name } => Self::for_now(format!("{name} is being made: ask again")),
            error => Self::failed(error),
        }
    }

    pub(super) fn of_waiting(error: &WaitError) -> Self {
        match error {
            WaitError::Store(error) => Self::of_store(error),
            late => Self::for_now(late.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let busy = self.0.status == Some(StatusCode::SERVICE_UNAVAILABLE);
        let mut response = self.0.into_response();
        if busy {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS.into());
        }
        response
    }
}

/// Has what the framework refuses (an unknown path, a wrong method, a body that is no JSON, a request that took too
/// long) told as a problem as well.
pub(super) async fn told_as_problems(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let told = response.headers().get(header::CONTENT_TYPE);
    let is_problem = told.is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"));
    if !(status.is_client_error() || status.is_server_error()) || is_problem {
        return response;
    }
    let (parts, body) = response.into_parts();
    let mut response = Problem::plain(status, detail(status, body).await).into_response();
    if let Some(allowed) = parts.headers.get(header::ALLOW) {
        response.headers_mut().insert(header::ALLOW, HeaderValue::clone(allowed));
    }
    response
}

async fn detail(status: StatusCode, body: Body) -> String {
    let text =
        to_bytes(body, DETAIL_BYTES_MAX).await.ok().and_then(|text| String::from_utf8(text.into()).ok());
    match status {
        StatusCode::NOT_FOUND => "there is nothing under this path".into(),
        StatusCode::METHOD_NOT_ALLOWED => "this path has other methods: see the header Allow".into(),
        StatusCode::SERVICE_UNAVAILABLE => {
            "it took too long: send the request again, under the same key if it has one".into()
        }
        _ => text.filter(|text| !text.is_empty()).unwrap_or_else(|| "the request cannot be taken".into()),
    }
}

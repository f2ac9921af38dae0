//! `Idempotency-Key`: a request that is sent again is carried out once.

use super::problem::Problem;
use annals::{CommandId, Context};
use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 255;

/// How much of its digest tells one request from another.
const FINGERPRINT_BYTES: usize = 16;

/// The length of a `traceparent` of version 00 (W3C Trace Context, 3.2).
const TRACEPARENT_BYTES: usize = 55;

/// By which a client knows a request, as the header `Idempotency-Key`: 1 to [`KEY_BYTES_MAX`] printable ASCII
/// characters, best a UUID that it made for this request alone. With it comes the request's `traceparent`.
#[derive(Debug)]
pub(super) struct IdempotencyKey {
    key: String,
    traceparent: Option<String>,
}

impl IdempotencyKey {
    /// The number of the order that is placed under this key: always the same.
    pub(super) fn order_number(&self) -> String {
        CommandId::of_key(&format!("http/order/{}", self.key)).to_string()
    }

    /// The command that is sent under this key.
    pub(super) fn context(&self) -> Context {
        let context = Context::keyed(&format!("http/{}", self.key));
        match &self.traceparent {
            Some(traceparent) => context.traceparent(traceparent),
            None => context,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let refused =
            |detail: &str| Problem::new(StatusCode::BAD_REQUEST, "/problems/idempotency-key", detail);
        if parts.headers.get_all("idempotency-key").iter().count() > 1 {
            return Err(refused("more than one Idempotency-Key was sent: send one"));
        }
        let key = text("idempotency-key").map(str::trim).unwrap_or_default();
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            let detail = format!(
                "the header Idempotency-Key is missing or wrong: send 1 to {KEY_BYTES_MAX} printable ASCII \
                 characters, another one for each request and the same when it is sent again"
            );
            return Err(refused(&detail));
        }
        let traceparent = text("traceparent").filter(|text| text.len() == TRACEPARENT_BYTES);
        Ok(Self { key: key.into(), traceparent: traceparent.map(Into::into) })
    }
}

/// Tells what is asked for from anything else.
pub(super) fn fingerprint(said: &impl Serialize) -> Result<String, Problem> {
    let text = serde_json::to_vec(said).map_err(|error| Problem::failed(&error))?;
    let digest = Sha256::digest(text);
    Ok(digest.iter().take(FINGERPRINT_BYTES).map(|byte| format!("{byte:02x}")).collect())
}

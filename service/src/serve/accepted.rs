use annals::{Done, Position, Version};
use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::fmt::Write;

/// The answer to a command: 202 with the URL of what it was about.
#[derive(Debug, Serialize)]
pub(super) struct Accepted {
    /// The order or article.
    key: String,
    /// Where to see what became of it. Waits for the read model to have taken the command in.
    status_url: String,
    /// How many events the order or article has.
    version: Version,
    /// The place of its last event in the log.
    position: Position,
    /// The request had arrived before; this is its first answer.
    repeated: bool,
}

impl Accepted {
    pub(super) fn new(done: &Done) -> Self {
        let key = done.stream.key().to_string();
        // The read models of orders and stock are keyed as the streams are.
        let read_model = if done.stream.category() == "order" { "orders" } else { done.stream.category() };
        let status_url = format!("/{read_model}/{}?position={}", in_path(&key), done.position);
        Self { key, status_url, version: done.version, position: done.position, repeated: done.repeated }
    }
}

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        let location = [(header::LOCATION, self.status_url.clone())];
        (StatusCode::ACCEPTED, location, Json(self)).into_response()
    }
}

/// `text` as one segment of a path or one value of a query: all but RFC 3986's unreserved characters percent-encoded.
pub(super) fn in_path(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut path, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(path, "%{byte:02X}");
        }
        path
    })
}

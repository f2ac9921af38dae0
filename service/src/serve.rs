//! The command `northwind serve`: the shop over HTTP.
//!
//! Commands are answered with 202 once they are in the log; what they lead to is found under the status URL, as read
//! models follow. Queries read read models and nothing else. Every error is a problem document (RFC 9457).
//!
//! | request | what it does |
//! |---|---|
//! | `POST /orders` | places an order |
//! | `POST /orders/{order}/cancel`, `/ship`, `/deliver`, `/return` | moves it on |
//! | `POST /stock/{sku}/receive` | takes pieces in |
//! | `GET /{read-model}`, `GET /{read-model}/{key}` | `orders`, `stock`, `customer-orders`, `sales-per-day`, `sales-per-sku` |
//! | `GET /health` | whether the log can be read, and how far each subscriber is behind |

mod accepted;
mod app;
mod health;
mod key;
mod orders;
mod problem;
mod read_models;
mod server;
mod stock;

pub use key::KEY_BYTES_MAX;
pub use read_models::{PAGE_DEFAULT, PAGE_MAX, WAIT_MAX};
pub use server::{BODY_BYTES_MAX, COMMANDS_AT_ONCE_MAX, FINISH_MAX, REQUEST_MAX, Serve};

//! The reference service of annals: Northwind Apparel, a shop. The binary `northwind` is this and nothing more.
//!
//! [`demo`], [`import`] and [`serve`] are its own commands; the others are those that every service has, from
//! `annals-cli`.

pub mod demo;
pub mod import;
mod publishing;
mod sending;
pub mod serve;
mod shop;
mod work;

pub use publishing::{PublishTo, PublishedReport};
pub use shop::shop;

//! The reference service of annals: Northwind Apparel, a shop.

pub mod import;

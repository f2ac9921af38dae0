//! The program `northwind`, run as its users run it, each test in a directory of its own.

#![expect(clippy::unwrap_used, reason = "a test fails where it panics, helpers included")]

mod bad_files;
mod consuming;
mod demo;
mod import;
mod interrupted;
mod postgres;
mod program;
mod publishing;
mod serve;
mod week;
mod week_totals;

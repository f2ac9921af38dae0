//! The program `northwind`, run as its users run it, each test in a directory of its own.

mod bad_files;
mod demo;
mod import;
mod interrupted;
mod program;
mod week;
mod week_totals;

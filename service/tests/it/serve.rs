//! `northwind serve`, asked over HTTP.

mod ending;
mod orders;
mod problems;
mod served;

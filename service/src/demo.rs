//! `northwind demo`: a burst of orders on few hot articles, some of which run out.
//!
//! Writers place orders while policies and read models follow in the same process. Then the log is read from its
//! beginning, apart from everything that took part, to see that no piece was sold twice; and each read model is made
//! anew from nothing and compared with the one that followed.

mod latency;
mod place;
mod replay;
mod report;
mod run;
mod tally;

pub use report::DemoReport;
pub use run::{Demo, WRITERS_MAX};

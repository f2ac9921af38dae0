//! `northwind import`: a week of real invoices becomes orders, returns and stock adjustments.
//!
//! The file is read and judged as a whole before a store is opened, so a file that cannot be imported leaves nothing.
//! Then each invoice is one command under an id made of all that it says: importing the same file again, also after
//! an interruption, changes nothing, and another invoice under a known number is refused line by line. The rules:
//!
//! - An invoice whose number begins with `C` is a return on the stream `return-<InvoiceNo>`; its goods have negative
//!   quantities.
//! - Any other invoice with goods in positive quantity is an order on `order-<InvoiceNo>`.
//! - Goods have codes that begin with a digit, compared in upper case. Other lines are charges on the order or return.
//! - Goods in negative quantity without a `C` are a stock adjustment; their price is nobody's and is left out. Each is
//!   a command of its own, recognised by all that its line says. One that the stock refuses stays refused, as the stock
//!   remembers its answer: importing the file again changes nothing, also when there is more by then.
//! - Customer, country and time of an invoice are those of the first of its lines that can be read.
//! - Prices are pounds with at most two decimals. A line that cannot be taken is refused with a reason, the others go
//!   in.

mod adjusting;
mod amount;
mod carry_out;
mod columns;
mod command_id;
mod invoice;
mod item;
mod plan;
mod run;
mod table;

use columns::Columns;

pub use carry_out::INVOICES_AT_ONCE_MAX;
pub use plan::{Plan, Refused};
pub use run::{Import, ImportReport};
pub use table::{FILE_BYTES_MAX, FileError, Table};

#[cfg(test)]
mod tests;

//! The totals of a week of invoices, reckoned from the file by other means than those of the program: line by line,
//! prices by rounding, and with nothing of the domain.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

/// What the program gives each article unless told otherwise.
pub(crate) const OPENING_STOCK: u64 = 100_000;

#[derive(Default)]
pub(crate) struct Totals {
    pub(crate) lines: u64,
    pub(crate) orders: u64,
    pub(crate) returns: u64,
    pub(crate) adjustments: u64,
    pub(crate) charges: u64,
    /// Charges on invoices without goods that are no returns: there is no order to put them on.
    pub(crate) lost_charges: u64,
    /// Ordered pieces, their price, returned pieces, their price.
    pub(crate) by_sku: BTreeMap<String, [u64; 4]>,
    /// Orders, their lines of goods, the price, returns, their price.
    pub(crate) by_day: BTreeMap<String, [u64; 5]>,
    /// Orders, their price, returns, their price.
    pub(crate) by_customer: BTreeMap<String, [u64; 4]>,
    /// On hand, reserved, shipped, received.
    pub(crate) stock: BTreeMap<String, [u64; 4]>,
}

struct Sold {
    invoice: String,
    code: String,
    quantity: i64,
    day: String,
    pence: u64,
    customer: String,
}

impl Sold {
    fn is_return(&self) -> bool {
        self.invoice.starts_with('C')
    }

    fn is_goods(&self) -> bool {
        self.code.as_bytes()[0].is_ascii_digit()
    }
}

impl Totals {
    pub(crate) fn of(file: &Path) -> Self {
        let sold: Vec<Sold> = csv::Reader::from_path(file).unwrap().deserialize().map(line).collect();
        let ordered: HashSet<&str> = sold
            .iter()
            .filter(|line| !line.is_return() && line.is_goods() && line.quantity > 0)
            .map(|line| line.invoice.as_str())
            .collect();
        let mut totals = Self { lines: sold.len() as u64, ..Self::default() };
        let mut seen = HashSet::new();
        for line in &sold {
            if line.is_return() {
                totals.give_back(line, seen.insert(line.invoice.as_str()));
            } else if !line.is_goods() {
                totals.charges += 1;
                totals.lost_charges += u64::from(!ordered.contains(line.invoice.as_str()));
            } else if line.quantity < 0 {
                totals.adjustments += 1;
                totals.stock_of(line)[0] -= line.quantity.unsigned_abs();
            }
            if ordered.contains(line.invoice.as_str()) {
                totals.order(line, seen.insert(line.invoice.as_str()));
            }
        }
        totals
    }

    fn order(&mut self, line: &Sold, first: bool) {
        let (count, pieces) = (u64::from(first), line.quantity.unsigned_abs());
        let day = self.by_day.entry(line.day.clone()).or_default();
        let customer = self.by_customer.entry(line.customer.clone()).or_default();
        self.orders += count;
        day[0] += count;
        customer[0] += count;
        if line.is_goods() && line.quantity > 0 {
            day[1] += 1;
            day[2] += pieces * line.pence;
            customer[1] += pieces * line.pence;
            let sku = self.by_sku.entry(line.code.clone()).or_default();
            sku[0] += pieces;
            sku[1] += pieces * line.pence;
            self.stock_of(line)[1] += pieces;
        }
    }

    fn give_back(&mut self, line: &Sold, first: bool) {
        let (count, pieces) = (u64::from(first), line.quantity.unsigned_abs());
        let day = self.by_day.entry(line.day.clone()).or_default();
        let customer = self.by_customer.entry(line.customer.clone()).or_default();
        self.returns += count;
        day[3] += count;
        customer[2] += count;
        if !line.is_goods() {
            self.charges += 1;
            return;
        }
        day[4] += pieces * line.pence;
        customer[3] += pieces * line.pence;
        let sku = self.by_sku.entry(line.code.clone()).or_default();
        sku[2] += pieces;
        sku[3] += pieces * line.pence;
        let stock = self.stock_of(line);
        stock[0] += pieces;
        stock[3] += pieces;
    }

    fn stock_of(&mut self, line: &Sold) -> &mut [u64; 4] {
        self.stock.entry(line.code.clone()).or_insert([OPENING_STOCK, 0, 0, OPENING_STOCK])
    }
}

/// InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country.
type Columns = (String, String, String, i64, String, f64, String, String);

fn line(read: Result<Columns, csv::Error>) -> Sold {
    let (invoice, code, _, quantity, date, price, customer, _) = read.unwrap();
    Sold {
        invoice,
        code: code.to_uppercase(),
        quantity,
        day: date[..10].into(),
        pence: (price * 100.0).round() as u64,
        customer: if customer.is_empty() { "guest".into() } else { customer },
    }
}

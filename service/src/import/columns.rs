//! Where in a line its fields stand.

use csv::StringRecord;

/// The columns that are read, as the public data set names them. Others are left alone.
const NAMES: [&str; 8] = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
];

/// The places of our columns in the lines of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    at: [usize; 8],
    /// How many fields the header has.
    width: usize,
}

/// The fields of one line that are read, as text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) invoice: &'a str,
    pub(super) code: &'a str,
    pub(super) description: &'a str,
    pub(super) quantity: &'a str,
    pub(super) date: &'a str,
    pub(super) price: &'a str,
    pub(super) customer: &'a str,
    pub(super) country: &'a str,
}

impl Columns {
    /// Finds the columns by their names, in any order.
    pub(super) fn find(header: &StringRecord) -> Result<Self, String> {
        let mut at = [0; 8];
        for (name, at) in NAMES.iter().zip(&mut at) {
            let mut places = header.iter().enumerate().filter(|(_, given)| given == name);
            let Some((place, _)) = places.next() else {
                let given: String = header.iter().collect::<Vec<_>>().join(", ").chars().take(200).collect();
                return Err(format!("the column {name} is missing; found: {given}"));
            };
            if places.next().is_some() {
                return Err(format!("the column {name} is there twice"));
            }
            *at = place;
        }
        Ok(Self { at, width: header.len() })
    }

    /// The fields of a line, if it has as many as the header.
    pub(super) fn fields<'a>(&self, record: &'a StringRecord) -> Result<Fields<'a>, String> {
        if record.len() != self.width {
            return Err(format!("it has {} fields, the header has {}", record.len(), self.width));
        }
        let [invoice, code, description, quantity, date, price, customer, country] =
            self.at.map(|at| &record[at]);
        Ok(Fields { invoice, code, description, quantity, date, price, customer, country })
    }
}

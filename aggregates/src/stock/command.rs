/// What the stock of an article can be asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StockCommand {
    /// Take pieces in.
    Receive {
        /// How many, at least 1.
        quantity: u64,
        /// What brought them: a delivery note, the number of a return.
        reference: String,
    },
    /// Promise pieces to an order; answered by an event either way, once per order.
    Reserve {
        /// Its number.
        order: String,
        /// How many, at least 1.
        quantity: u64,
    },
    /// Take back what was promised to an order. Also keeps a reservation that has not arrived yet from succeeding.
    Release {
        /// Its number.
        order: String,
    },
    /// Send what was promised to an order.
    Ship {
        /// Its number.
        order: String,
    },
    /// Correct the count: pieces found, lost or broken; answered by an event either way.
    Adjust {
        /// How many more, or fewer when negative; never below what is promised.
        delta: i64,
        /// Why; may be empty.
        reason: String,
    },
}

//! The domain of Northwind Apparel, the shop that annals is shown with: orders, stock, payments and returns.
//!
//! An [`Order`] asks for pieces of articles. Each article, known by its [`Sku`], is a [`StockItem`] that reserves
//! pieces for orders and never promises more than it has; when it cannot, it says so by an event. The order learns of
//! each answer by a command and decides itself: confirmed when all of its articles are reserved, cancelled at the
//! first refusal. The policies of `northwind-projections` carry events to commands between them. A [`Payment`] is
//! authorised, captured and refunded; a [`GoodsReturn`] is a parcel that comes back without a known order.
//!
//! Everything here is pure: no I/O, no clock, no random numbers. Business times arrive in commands, money is in
//! integer minor units, and every limit is a named constant.
//!
//! ```
//! use annals::Aggregate;
//! use northwind_aggregates::{Sku, StockCommand, StockEvent, StockItem};
//!
//! let mut hat = StockItem::default();
//! hat.evolve(&StockEvent::Received { quantity: 3, reference: "first delivery".into() });
//! let answer = hat.decide(&StockCommand::Reserve { order: "17".into(), quantity: 5 })?;
//! assert_eq!(answer, [StockEvent::ReservationRefused { order: "17".into(), quantity: 5, available: 3 }]);
//! # Ok::<(), northwind_aggregates::StockRejection>(())
//! ```

mod bill;
mod money;
mod sku;
mod text;

mod goods_return;
mod order;
mod payment;
mod stock;

mod burst;

pub use bill::{BillRejection, CHARGES_MAX, Charge, LINES_MAX, Line, goods_minor, pieces_by_sku};
pub use money::{Currency, CurrencyError, Money, MoneyError};
pub use sku::{SKU_BYTES_MAX, Sku};
pub use text::{NAME_BYTES_MAX, TextError};

pub use goods_return::{GoodsReturn, ReturnCommand, ReturnEvent, ReturnRejection};
pub use order::{CancelReason, Order, OrderCommand, OrderEvent, OrderRejection, OrderStatus, Outcome};
pub use payment::{Payment, PaymentCommand, PaymentEvent, PaymentRejection, PaymentStatus};
pub use stock::{
    AdjustmentRefusal, Holding, PIECES_MAX, StockCommand, StockEvent, StockItem, StockRejection,
};

pub use burst::{BURST_ORDERS_MAX, BURST_SKUS_MAX, Burst, BurstTerms, BurstTermsError};

use annals_cli::Service;
use northwind_aggregates::{GoodsReturn, Order, Payment, StockItem};
use northwind_projections::{
    CustomerOrders, Orders, SalesPerDay, SalesPerSku, Stock,
    policies::{RecordReservations, ReleaseStock, ReserveStock, RestockReturns, ShipStock},
};

/// The shop: its aggregates, its read models, and the policies between them.
pub fn shop() -> Service {
    Service::new("northwind")
        .begin_with("`northwind demo` or `northwind import FILE.csv`")
        .aggregate::<Order>()
        .aggregate::<StockItem>()
        .aggregate::<Payment>()
        .aggregate::<GoodsReturn>()
        .projection(Orders)
        .projection(Stock)
        .projection(CustomerOrders)
        .projection(SalesPerDay)
        .projection(SalesPerSku)
        .policy(ReserveStock)
        .policy(RecordReservations)
        .policy(ReleaseStock)
        .policy(RestockReturns)
        .policy(ShipStock)
}

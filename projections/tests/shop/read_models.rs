//! What the read models promise together.

use crate::fixture::Shop;
use annals::{Context, MemoryDocuments, PageLimit, Registered};
use chrono::DateTime;
use northwind_aggregates::{
    Currency, GoodsReturn, Order, OrderCommand, OrderStatus, ReturnCommand, StockItem, goods_minor,
    pieces_by_sku,
};
use northwind_projections::{
    CustomerOrders, CustomerOrdersDocument, OrderDocument, Orders, SalesPerSku, SalesPerSkuDocument, Stock,
    StockDocument,
};
use std::{collections::BTreeMap, sync::Arc};

/// A burst, settled; some orders shipped and come back, and a return without an order.
async fn eventful_shop() -> Shop {
    let shop = Shop::with_burst(150, 8, 3).await;
    let places = Arc::new(MemoryDocuments::new());
    shop.settle(&places).await;
    let occurred_at = DateTime::UNIX_EPOCH;
    for (index, (number, command)) in shop.burst.orders().enumerate() {
        let order = shop.engine.load::<Order>(&number).await.unwrap().state;
        if order.status() != OrderStatus::Confirmed {
            continue;
        }
        let steps = [
            OrderCommand::Ship { occurred_at },
            OrderCommand::Deliver { occurred_at },
            OrderCommand::Return { occurred_at },
        ];
        for step in steps.iter().take(index % 4) {
            shop.engine.execute::<Order>(&number, step, Context::new()).await.unwrap();
        }
        if index % 4 == 0 {
            let OrderCommand::Place { customer, currency, lines, .. } = command else { panic!() };
            let accept = ReturnCommand::Accept { customer, currency, lines, charges: vec![], occurred_at };
            let number = format!("C{number}");
            shop.engine.execute::<GoodsReturn>(&number, &accept, Context::new()).await.unwrap();
        }
    }
    shop.settle(&places).await;
    shop
}

#[tokio::test]
async fn pages_of_1_and_of_1_000_give_the_same_documents() {
    let shop = eventful_shop().await;
    for projection in northwind_projections::read_models() {
        let whole = shop.documents(&projection, PageLimit::DEFAULT).await;
        let single = shop.documents(&projection, PageLimit::ONE).await;
        assert!(!whole.is_empty(), "{}", projection.name());
        assert_eq!(whole, single, "{}", projection.name());
    }
}

#[tokio::test]
async fn goods_that_came_back_are_received_once() {
    let shop = eventful_shop().await;
    let before = shop.head();
    // Without their places the policies meet every event again.
    shop.settle(&Arc::new(MemoryDocuments::new())).await;
    assert_eq!(shop.head(), before);
}

#[tokio::test]
async fn the_stock_shown_is_that_of_the_aggregates() {
    let shop = eventful_shop().await;
    let shown = shop.documents(&Registered::new(Stock), PageLimit::DEFAULT).await;
    assert_eq!(shown.len(), 8);
    for (sku, _) in shop.burst.opening_stock() {
        let item = shop.engine.load::<StockItem>(&sku).await.unwrap().state;
        let document: StockDocument = shown[sku.as_str()].read().unwrap();
        assert_eq!(
            (document.on_hand, document.reserved, document.shipped, document.received),
            (item.on_hand(), item.reserved(), item.shipped(), item.received()),
            "{sku}"
        );
        let received = i128::from(item.on_hand()) + i128::from(item.shipped()) - i128::from(item.adjusted());
        assert_eq!(i128::from(item.received()), received, "{sku}");
    }
}

#[tokio::test]
async fn the_orders_shown_are_those_of_the_aggregates() {
    let shop = eventful_shop().await;
    let shown = shop.documents(&Registered::new(Orders), PageLimit::DEFAULT).await;
    assert_eq!(shown.len(), 150);
    for (number, document) in shown {
        let order = shop.engine.load::<Order>(&number).await.unwrap().state;
        let document: OrderDocument = document.read().unwrap();
        assert_eq!(document.status, order.status(), "{number}");
        assert_eq!(Some(document.total_minor), order.total().map(|total| total.minor), "{number}");
        assert_eq!(document.cancel_reason.is_some(), order.status() == OrderStatus::Cancelled, "{number}");
    }
}

#[tokio::test]
async fn sales_add_up_to_what_was_placed() {
    let shop = eventful_shop().await;
    let (mut pieces, mut gross, mut customers) = (BTreeMap::new(), 0, BTreeMap::new());
    for (_, command) in shop.burst.orders() {
        let OrderCommand::Place { customer, lines, .. } = command else { panic!() };
        for (sku, quantity) in pieces_by_sku(&lines) {
            *pieces.entry(sku.as_str().to_string()).or_default() += quantity;
        }
        let minor = goods_minor(&lines, Currency::GBP).unwrap();
        gross += minor;
        *customers.entry(customer.unwrap_or_else(|| "guest".into())).or_default() += minor;
    }
    let shown = shop.documents(&Registered::new(SalesPerSku), PageLimit::DEFAULT).await;
    let articles: Vec<SalesPerSkuDocument> = shown.values().map(|json| json.read().unwrap()).collect();
    let shown: BTreeMap<String, u64> =
        articles.iter().map(|article| (article.sku.clone(), article.ordered)).collect();
    assert_eq!(shown, pieces);
    assert_eq!(articles.iter().map(|article| article.takings.gross_minor).sum::<i64>(), gross);

    let shown = shop.documents(&Registered::new(CustomerOrders), PageLimit::DEFAULT).await;
    let read = |json: &annals::Json| json.read::<CustomerOrdersDocument>().unwrap();
    let shown: BTreeMap<String, i64> =
        shown.values().map(read).map(|shown| (shown.customer, shown.takings.gross_minor)).collect();
    assert_eq!(shown, customers);
}

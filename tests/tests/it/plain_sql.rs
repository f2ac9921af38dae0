//! Plain SQL over the views of the read models answers what `query` answers, also after a replay.

use crate::postgres::{looking, schema, texts};
use annals::{PageLimit, Rebuild, catch_up};
use annals_tests::Shop;
use chrono::{DateTime, Utc};
use northwind_aggregates::{Burst, BurstTerms, StockItem};
use northwind_projections::read_models;
use serde_json::Value;
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// What `query` shows of a read model.
async fn documents(shop: &Shop, name: &str) -> BTreeMap<String, Value> {
    let live = shop.documents.live(name).await.unwrap().unwrap().0;
    let all = shop.documents.documents(&live, None, PageLimit::MAX).await.unwrap();
    all.into_iter().map(|(key, json)| (key.to_string(), json.read().unwrap())).collect()
}

/// Each column of each row is the field of that name in the document of that key.
async fn assert_same_as_queried(shop: &Shop, sql: &mut PgConnection) -> usize {
    let mut rows_in_all = 0;
    for model in read_models() {
        let documents = documents(shop, model.name()).await;
        let view = model.name().replace('-', "_");
        let rows = texts(sql, &format!("SELECT to_jsonb(v) FROM {view} v")).await;
        assert_eq!(rows.len(), documents.len(), "{view}");
        for row in rows {
            let mut row: BTreeMap<String, Value> = serde_json::from_str(&row).unwrap();
            let Some(Value::String(key)) = row.remove("key") else { panic!("{view}: {row:?}") };
            assert!(row.len() > 4, "{view} has columns");
            for (column, shown) in row {
                let queried = documents[&key].get(&column).cloned().unwrap_or(Value::Null);
                let same =
                    shown == queried || times(&shown).is_some_and(|shown| times(&queried) == Some(shown));
                assert!(same, "{view} {key} {column}: {shown} is shown, {queried} is queried");
            }
        }
        rows_in_all += documents.len();
    }
    rows_in_all
}

fn times(value: &Value) -> Option<DateTime<Utc>> {
    value.as_str()?.parse().ok()
}

/// Sums that somebody in the office would ask for.
async fn assert_sums(shop: &Shop, sql: &mut PgConnection) {
    let mut by_status: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for order in documents(shop, "orders").await.values() {
        let (count, total) = by_status.entry(order["status"].as_str().unwrap().into()).or_default();
        *count += 1;
        *total += order["total_minor"].as_i64().unwrap();
    }
    let asked = "SELECT concat_ws(' ', status, count(*), sum(total_minor)) FROM orders GROUP BY status ORDER BY status";
    let folded: Vec<String> =
        by_status.iter().map(|(status, (count, total))| format!("{status} {count} {total}")).collect();
    assert_eq!(texts(sql, asked).await, folded);
    assert!(folded.len() > 1, "{folded:?}");
    let asked = "SELECT count(*) FROM orders o JOIN sales_per_day d ON d.day = (o.placed_at AT TIME ZONE 'UTC')::date";
    assert_eq!(texts(sql, asked).await, [documents(shop, "orders").await.len().to_string()]);
}

/// Broken on purpose: take the amount from another field of the document, and it is told which row differs.
#[tokio::test(flavor = "multi_thread")]
async fn plain_sql_answers_what_query_answers_before_and_after_a_replay() {
    let Some(views) = schema() else { return };
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::open_with(&dir.path().join("shop.db"), Some(&views)).await.unwrap();
    let mut sql = looking(&views).await;
    let terms = BurstTerms { orders: 300, skus: 20, seed: 3, start: DateTime::UNIX_EPOCH };
    let burst = Burst::new(terms).unwrap();
    for (sku, command) in burst.opening_stock() {
        let context = annals::Context::keyed(&format!("opening stock of {sku}"));
        shop.engine.execute::<StockItem>(&sku, &command, context).await.unwrap();
    }
    let placed: Vec<_> = burst.orders().collect();
    for half in placed.chunks(150) {
        for (number, command) in half {
            shop.place(number, command).await.unwrap();
        }
        // What follows from an order follows from policies, in turns.
        for _ in 0..3 {
            for mut policy in shop.policies(&annals::LeaseTerms::default()) {
                catch_up(&*shop.store, &mut *policy).await.unwrap();
            }
        }
        for mut model in shop.read_models(&annals::LeaseTerms::default()) {
            catch_up(&*shop.store, &mut *model).await.unwrap();
        }
        let before = assert_same_as_queried(&shop, &mut sql).await;
        assert_sums(&shop, &mut sql).await;
        for model in read_models() {
            let rebuild = Rebuild::new(model, shop.store.clone(), shop.documents.clone());
            assert!(rebuild.run(&mut |_| {}).await.unwrap().switched);
        }
        assert_eq!(assert_same_as_queried(&shop, &mut sql).await, before);
        assert_sums(&shop, &mut sql).await;
        println!("{before} rows as queried, before and after a replay");
    }
}

//! Names that break programs are stored exactly, or refused with an error that says why.

use annals::{
    Aggregate, Context, DomainEvent, Engine, EventStore, ExecuteError, Keys, PageLimit, ProjectError,
    Projection, Projector, ReadModel, RecordedEvent, StreamFilter, catch_up, error_text,
};
use annals_sqlite::{SqliteDocuments, SqliteOptions, SqliteStore, views_beside};
use annals_tests::Shop;
use northwind_aggregates::{Currency, Line, OrderCommand, Sku};
use northwind_projections::{CustomerOrders, Orders, Stock};
use serde::{Deserialize, Serialize};
use std::{convert::Infallible, path::Path, sync::Arc};

/// An error never repeats a long name as a whole.
const ERROR_BYTES_MAX: usize = 2_000;

fn hostile() -> Vec<String> {
    let short = [
        "Robert'); DROP TABLE events;--",
        "\"double\" 'single' `back`",
        "nul\0inside",
        "\0",
        "\u{202e}right to left",
        "قبعة للبيع",
        "🧢🏽 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠜎",
        "é",
        "e\u{301}",
        "line\nend\r\ttab",
        "\u{1b}[31mred",
        "\u{feff}mark in front",
        "\u{fffd}\u{ffff}\u{10ffff}",
        "../../etc/passwd",
        "order-order-1",
        "acme/order-1",
        "-",
        " ",
        " around ",
        "100 %_* [a-z] ?1 :name $1 {}",
        "null",
        "NULL",
        "1e309",
        "\\u0000 \\ \\x00",
        "ẞ ß ǆ İ",
        "",
    ];
    let long = [
        "x".repeat(255),
        "x".repeat(256),
        "é".repeat(127) + "x",
        "é".repeat(128),
        "\u{1f9e2}".repeat(255),
        "k".repeat(1_023),
        "k".repeat(1_024),
        "y".repeat(10_000),
        "'".repeat(10_000),
    ];
    short.map(String::from).into_iter().chain(long).collect()
}

/// Notes whatever it is told, under whatever name.
#[derive(Default, Clone)]
struct Note;

#[derive(Serialize, Deserialize)]
enum NoteEvent {
    Noted { text: String },
}

impl DomainEvent for NoteEvent {
    const CATEGORY: &'static str = "note";
}

impl Aggregate for Note {
    type Id = str;
    type Command = String;
    type Event = NoteEvent;
    type Rejection = Infallible;

    fn decide(&self, text: &String) -> Result<Vec<NoteEvent>, Infallible> {
        Ok(vec![NoteEvent::Noted { text: text.clone() }])
    }

    fn evolve(&mut self, _: &NoteEvent) {}
}

/// The texts by the name of their stream.
#[derive(Clone)]
struct ByName;

impl Projection for ByName {
    const NAME: &'static str = "by-name";
    type Event = NoteEvent;
    type Document = String;

    fn keys(&self, _: &NoteEvent, recorded: &RecordedEvent) -> Keys {
        recorded.key().into()
    }

    fn project(
        &self,
        _: &str,
        _: Option<String>,
        NoteEvent::Noted { text }: &NoteEvent,
        _: &RecordedEvent,
    ) -> Result<Option<String>, ProjectError> {
        Ok(Some(text.clone()))
    }
}

/// How often each text was noted, by the text itself.
#[derive(Clone)]
struct ByText;

impl Projection for ByText {
    const NAME: &'static str = "by-text";
    type Event = NoteEvent;
    type Document = u64;

    fn keys(&self, NoteEvent::Noted { text }: &NoteEvent, _: &RecordedEvent) -> Keys {
        text.as_str().into()
    }

    fn project(
        &self,
        _: &str,
        before: Option<u64>,
        _: &NoteEvent,
        _: &RecordedEvent,
    ) -> Result<Option<u64>, ProjectError> {
        Ok(Some(before.unwrap_or(0) + 1))
    }
}

fn open(log: &Path) -> (Arc<SqliteStore>, Arc<SqliteDocuments>) {
    let store = SqliteStore::open(&SqliteOptions::new(log)).unwrap();
    (Arc::new(store), Arc::new(SqliteDocuments::open(views_beside(log)).unwrap()))
}

fn assert_clear(error: &str, name: &str) {
    let says = ["NUL", "are allowed", "is empty", "control character", "U+0000"];
    assert!(says.iter().any(|part| error.contains(part)), "{error:?} about {name:?}");
    assert!(
        error.len() <= ERROR_BYTES_MAX,
        "an error of {} bytes about a name of {}",
        error.len(),
        name.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_a_stream_is_stored_exactly_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("shop.db");
    let (mut taken, mut refused) = (vec![], 0);
    {
        let (store, documents) = open(&log);
        let engine = Engine::new(store.clone());
        for name in hostile() {
            match engine.execute::<Note>(&name, &name, Context::keyed(&name)).await {
                Ok(done) => {
                    assert_eq!(done.stream.key(), name);
                    taken.push(name);
                }
                Err(ExecuteError::Failed(error)) => {
                    assert_clear(&error_text(&error), &name);
                    refused += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
        let by_name = &mut Projector::new(ByName, store.clone(), documents.clone());
        // A text with a NUL is in no name that was taken, so nothing is parked.
        catch_up(&*store, by_name).await.unwrap();
    }
    // Only what has a NUL, is empty, or is longer than 255 bytes is refused.
    let allowed = |name: &String| !name.contains('\0') && (1..=annals::KEY_BYTES_MAX).contains(&name.len());
    assert_eq!(taken, hostile().into_iter().filter(allowed).collect::<Vec<_>>());
    let (store, documents) = open(&log);
    let all = store.streams(&StreamFilter::all(), None, PageLimit::MAX).await.unwrap();
    let mut stored: Vec<&str> = all.iter().map(|info| info.stream.key()).collect();
    let shown = ReadModel::<ByName>::new(documents);
    for name in &taken {
        assert_eq!(shown.get(name).await.unwrap().as_ref(), Some(name));
    }
    let mut expected: Vec<&str> = taken.iter().map(String::as_str).collect();
    stored.sort_unstable();
    expected.sort_unstable();
    assert_eq!(stored, expected);
    println!("{} names stored exactly, {refused} refused", taken.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_document_is_stored_exactly_or_refused() {
    let (mut taken, mut refused) = (0, 0);
    for name in hostile() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("shop.db");
        {
            let (store, documents) = open(&log);
            // The payload takes any text, so what comes to the projection is any text.
            Engine::new(store.clone()).execute::<Note>("1", &name, Context::new()).await.unwrap();
            let by_text = &mut Projector::new(ByText, store.clone(), documents.clone());
            match catch_up(&*store, by_text).await {
                Ok(_) => taken += 1,
                Err(error) => {
                    assert_clear(&error_text(&error), &name);
                    assert!(name.contains('\0') || name.len() > annals::DOCUMENT_KEY_BYTES_MAX, "{name:?}");
                    refused += 1;
                    continue;
                }
            }
        }
        let (store, documents) = open(&log);
        let event = &crate::ledger::whole_log(&*store).await[0];
        assert_eq!(event.payload.as_str(), serde_json::json!({ "text": name }).to_string());
        assert_eq!(
            ReadModel::<ByText>::new(documents.clone()).get(&name).await.unwrap(),
            Some(1),
            "{name:?}"
        );
        let page = ReadModel::<ByText>::new(documents).page(None, PageLimit::MAX).await.unwrap();
        assert_eq!(page.iter().map(|(key, _)| &**key).collect::<Vec<_>>(), [&name]);
    }
    println!("{taken} keys stored exactly, {refused} refused");
}

fn place(sku: &str, customer: &str) -> Option<OrderCommand> {
    let line = Line {
        line: 1,
        sku: Sku::new(sku).ok()?,
        description: customer.into(),
        quantity: 1,
        unit_price_minor: 100,
    };
    Some(OrderCommand::Place {
        customer: Some(customer.into()),
        country: None,
        currency: Currency::GBP,
        lines: vec![line],
        charges: vec![],
        occurred_at: chrono::DateTime::UNIX_EPOCH,
    })
}

/// Order numbers, customers and articles with such names, through policies and read models.
#[tokio::test(flavor = "multi_thread")]
async fn the_shop_takes_such_names_or_says_why_not() {
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::open(&dir.path().join("shop.db")).unwrap();
    let (mut numbers, mut customers, mut skus, mut refused) = (vec![], vec![], vec![], 0);
    for (index, name) in hostile().into_iter().enumerate() {
        let customer = place("hat", &name).unwrap();
        let tries = [
            (name.clone(), place("hat", "somebody"), &mut numbers),
            (format!("customer {index}"), Some(customer), &mut customers),
            (format!("sku {index}"), place(&name, "somebody"), &mut skus),
        ];
        for (number, command, taken) in tries {
            let Some(command) = command else {
                assert_clear(&Sku::new(&name).unwrap_err().to_string(), &name);
                refused += 1;
                continue;
            };
            match shop.place(&number, &command).await {
                Ok(_) => taken.push(name.clone()),
                Err(error) => {
                    assert_clear(&error_text(&error), &name);
                    refused += 1;
                }
            }
        }
    }
    let stop = tokio_util::sync::CancellationToken::new();
    let terms = annals::LeaseTerms::default();
    let all = shop.policies(&terms).into_iter().chain(shop.read_models(&terms));
    let running = tokio::spawn(annals::Runner::new(shop.store.clone()).with_all(all).run(stop.clone()));
    shop.drained().await.unwrap();
    stop.cancel();
    assert!(running.await.unwrap().iter().all(|ended| ended.outcome.is_ok()));
    let documents = &shop.documents;
    for number in &numbers {
        let order = ReadModel::<Orders>::new(documents.clone()).get(number).await.unwrap().unwrap();
        assert_eq!((&order.order, order.cancel_reason.is_some()), (number, true), "there is no stock");
    }
    for customer in &customers {
        let shown = ReadModel::<CustomerOrders>::new(documents.clone()).get(customer).await.unwrap();
        assert_eq!(&shown.unwrap().customer, customer);
    }
    for sku in &skus {
        let key = Sku::new(sku).unwrap();
        let shown = ReadModel::<Stock>::new(documents.clone()).get(key.as_str()).await.unwrap();
        assert_eq!(shown.unwrap().sku, key.as_str());
    }
    crate::books::assert_books(&crate::ledger::whole_log(&*shop.store).await);
    crate::books::assert_same_as_replayed(&shop).await;
    let (numbers, customers, skus) = (numbers.len(), customers.len(), skus.len());
    println!(
        "{numbers} order numbers, {customers} customers, {skus} articles stored exactly, {refused} refused"
    );
    assert!(numbers > 20 && customers > 15 && skus > 10);
}

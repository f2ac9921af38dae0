//! Records in the words of CloudEvents, as somebody else's library understands them.

use crate::place::Place;
use annals::{Commit, EventData, EventId, EventStore, Expected, Json, StreamId, catch_up};
use annals_kafka::{CloudEvents, PublisherTerms};
use cloudevents::{AttributesReader, Data, Event, event::SpecVersion};
use rdkafka::message::{Headers, Message, OwnedMessage};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What the binary content mode of the Kafka binding (1.0.2, section 3.2) says: each attribute is a header `ce_` with
/// its name, its value a text in UTF-8, but the content type, whose header has its own name; the value is the data.
fn understood(record: &OwnedMessage) -> Event {
    let mut event = Map::new();
    for header in record.headers().unwrap().iter() {
        let name = match header.key {
            "content-type" => Some("datacontenttype"),
            name => name.strip_prefix("ce_"),
        };
        let Some(name) = name else { continue };
        let value = std::str::from_utf8(header.value.unwrap()).unwrap();
        let before = event.insert(name.into(), Value::String(value.into()));
        assert!(before.is_none(), "{name} is there twice");
    }
    event.insert("data".into(), serde_json::from_slice(record.payload().unwrap()).unwrap());
    // It refuses attributes that are missing, of another form, or of another version.
    serde_json::from_value(Value::Object(event)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_library_reads_what_a_record_is() {
    let Some(place) = Place::shared() else { return };
    let stream: StreamId = "acme/order-7f3c".parse().unwrap();
    let ids: Vec<_> = (0..3).map(|_| EventId::random()).collect();
    let payload = Json::parse("{\"sku\":\"Ä-1\"}").unwrap();
    let events: Vec<_> = ids.iter().map(|id| EventData::raw(*id, "Placed", 1, payload.clone())).collect();
    place.store.append(Commit::to(stream, Expected::Any, events)).await.unwrap();
    let cloud_events = Some(CloudEvents { source: "/northwind/shop".into() });
    let terms = PublisherTerms { cloud_events, ..place.terms() };
    catch_up(&*place.store, &mut place.publisher(terms)).await.unwrap();
    let records = place.records("order");
    assert_eq!(records.len(), 3);
    for (record, id) in records.iter().zip(&ids) {
        let event = understood(record);
        assert_eq!(event.specversion(), SpecVersion::V10);
        assert_eq!((event.id(), event.ty()), (&*id.uuid().to_string(), "Placed"));
        assert_eq!((event.source().as_str(), event.subject()), ("/northwind/shop", Some("acme/order-7f3c")));
        assert_eq!(event.datacontenttype(), Some("application/json"));
        let headers: BTreeMap<_, _> =
            record.headers().unwrap().iter().map(|header| (header.key, header.value.unwrap())).collect();
        let recorded_at = std::str::from_utf8(headers["recorded-at"]).unwrap();
        assert_eq!(event.time().unwrap().to_rfc3339(), recorded_at.replace('Z', "+00:00"));
        let Some(Data::Json(data)) = event.data() else { panic!("{event:?}") };
        assert_eq!(data["sku"], "Ä-1");
        assert_eq!(event.iter_extensions().count(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_did_not_ask_for_it_pays_for_it() {
    let Some(place) = Place::shared() else { return };
    place.append("order", 1, 1).await;
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
    let records = place.records("order");
    assert!(records[0].headers().unwrap().iter().all(|header| !header.key.starts_with("ce_")));
}

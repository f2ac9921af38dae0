//! Records in the words of CloudEvents, as somebody else's library understands them.

use crate::place::Place;
use annals::{Commit, EventData, EventId, EventStore, Expected, Json, StreamId, catch_up};
use annals_kafka::{CloudEvents, PublisherTerms};
use cloudevents::{
    AttributesReader, Data,
    event::SpecVersion,
    message::{BinaryDeserializer, BinarySerializer, Error, MessageAttributeValue},
};
use rdkafka::message::{Headers, Message, OwnedMessage};
use std::collections::BTreeMap;

/// A record in the binary content mode of the Kafka binding (1.0.2, section 3.2): each attribute is a header `ce_` with its
/// name, its value a text in UTF-8, but the content type, whose header has its own name; the value is the data. What
/// these are in an event, the library says: it has a reader for records too, but of another version of the client.
struct Binary<'r>(&'r OwnedMessage);

impl BinaryDeserializer for Binary<'_> {
    fn deserialize_binary<R, V: BinarySerializer<R>>(self, event: V) -> Result<R, Error> {
        let mut texts = texts(self.0);
        let version = texts.remove("ce_specversion").ok_or(Error::WrongEncoding {})?;
        let version = SpecVersion::try_from(version)?;
        let known = version.attribute_names();
        let mut event = event.set_spec_version(version)?;
        if let Some(text) = texts.remove("content-type") {
            event = event.set_attribute("datacontenttype", MessageAttributeValue::String(text.into()))?;
        }
        for (name, text) in texts {
            let of_its_own = |name: &&str| *name != "datacontenttype";
            let Some(name) = name.strip_prefix("ce_").filter(of_its_own) else { continue };
            let value = MessageAttributeValue::String(text.into());
            event = match known.contains(&name) {
                true => event.set_attribute(name, value)?,
                false => event.set_extension(name, value)?,
            };
        }
        match self.0.payload() {
            Some(bytes) => event.end_with_data(bytes.into()),
            None => event.end(),
        }
    }
}

fn texts(record: &OwnedMessage) -> BTreeMap<&str, &str> {
    let mut texts = BTreeMap::new();
    for header in record.headers().unwrap().iter() {
        let before = texts.insert(header.key, std::str::from_utf8(header.value.unwrap()).unwrap());
        assert!(before.is_none(), "{} is there twice", header.key);
    }
    texts
}

/// How it was broken: without `ce_type` the library says `MissingRequiredAttribute`; with the time under another name it
/// finds an extension and no time; with the content type under `ce_datacontenttype` it finds none.
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
        let event = Binary(record).into_event().unwrap();
        assert_eq!(event.specversion(), SpecVersion::V10);
        assert_eq!((event.id(), event.ty()), (&*id.uuid().to_string(), "Placed"));
        assert_eq!((event.source().as_str(), event.subject()), ("/northwind/shop", Some("acme/order-7f3c")));
        assert_eq!(event.datacontenttype(), Some("application/json"));
        let recorded_at = texts(record)["recorded-at"];
        assert_eq!(event.time().unwrap().to_rfc3339(), recorded_at.replace('Z', "+00:00"));
        assert_eq!(event.data(), Some(&Data::Binary(payload.as_str().into())));
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

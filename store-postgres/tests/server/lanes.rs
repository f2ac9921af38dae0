//! A projection in several lanes makes what it makes in one.

use crate::place::Place;
use annals::{
    Commit, DocumentStore, DomainEvent, EventData, EventId, EventStore, Expected, Json, Keys, MemoryStore,
    PageLimit, Position, ProjectError, Projection, Projector, Rebuild, RecordedEvent, Registered, catch_up,
    catch_up_to,
};
use annals_postgres::PostgresDocuments;
use sqlx::PgConnection;
use std::sync::Arc;

#[derive(serde::Serialize, serde::Deserialize)]
enum MoveEvent {
    Moved { from: u64, to: u64 },
}

impl DomainEvent for MoveEvent {
    const CATEGORY: &'static str = "piece";
}

/// What came to a field and left it, in order.
#[derive(Clone, Copy)]
struct Fields;

#[derive(serde::Serialize, serde::Deserialize, Default)]
struct Field {
    moves: u64,
    /// Differs whenever the order of the moves does.
    trace: u64,
}

impl Projection for Fields {
    const NAME: &'static str = "fields";
    type Event = MoveEvent;
    type Document = Field;

    fn keys(&self, MoveEvent::Moved { from, to }: &MoveEvent, _: &RecordedEvent) -> Keys {
        [from, to].into_iter().map(|field| format!("field {field}")).collect()
    }

    fn project(
        &self,
        key: &str,
        before: Option<Field>,
        _: &MoveEvent,
        recorded: &RecordedEvent,
    ) -> Result<Option<Field>, ProjectError> {
        let mut field = before.unwrap_or_default();
        let position = recorded.position.get();
        if key == "field 7" && position > 1_500 {
            return Err(ProjectError::new("the field is closed"));
        }
        field.moves += 1;
        field.trace = (field.trace * 31 + position) % 1_000_003;
        // Some leave nothing.
        Ok((!position.is_multiple_of(97)).then_some(field))
    }
}

/// 3 000 moves between 50 fields.
async fn log() -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    let mut seed = 17_u64;
    for piece in 0..30 {
        let moves = (0..100).map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (from, to) = ((seed >> 33) % 50, (seed >> 43) % 50);
            let body = Json::parse(&format!(r#"{{"from": {from}, "to": {to}}}"#)).unwrap();
            EventData::raw(EventId::random(), "Moved", 1, body)
        });
        let stream = format!("piece-{piece}").parse().unwrap();
        store.append(Commit::to(stream, Expected::NEW, moves)).await.unwrap();
    }
    store
}

/// Documents and parked events.
async fn all(documents: &PostgresDocuments) -> Vec<String> {
    let live = documents.live("fields").await.unwrap().unwrap().0;
    let found = documents.documents(&live, None, PageLimit::MAX).await.unwrap();
    let parked = documents.parked(&live, None, None, PageLimit::MAX).await.unwrap();
    let parked = parked.iter().map(|parked| format!("{} {} {}", parked.key, parked.position, parked.error));
    found.iter().map(|(key, json)| format!("{key} {}", json.as_str())).chain(parked).collect()
}

fn projector(store: &Arc<MemoryStore>, documents: &Arc<PostgresDocuments>, lanes: u32) -> Projector<Fields> {
    Projector::new(Fields, store.clone(), documents.clone()).lanes(lanes)
}

async fn run(sql: &mut PgConnection, text: &str) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(text.to_string())).execute(sql).await.unwrap();
}

/// Lanes fail at different places and begin again in another number, and each event still counts once, in order.
///
/// Broken on purpose: let a lane that is ahead take a page from its beginning (`fold_part` from the start), and events
/// count twice.
#[tokio::test]
async fn lanes_make_what_one_lane_makes_also_when_some_of_them_fail() {
    let (Some(one), Some(many)) = (Place::new(), Place::new()) else { return };
    let store = log().await;
    let documents = Arc::new(one.documents().await);
    catch_up(&*store, &mut projector(&store, &documents, 1)).await.unwrap();
    let expected = all(&documents).await;
    assert!(expected.iter().any(|line| line.ends_with("the field is closed")), "{expected:#?}");

    let documents = Arc::new(many.documents().await);
    let mut sql = many.raw().await;
    run(
        &mut sql,
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'as asked'; END $$",
    )
    .await;
    for (last, failing, lanes) in [(900, 1, 3), (1_400, 0, 4), (1_900, 2, 3), (2_300, 1, 2), (2_800, 5, 8)] {
        run(
            &mut sql,
            &format!(
                "CREATE TRIGGER fail BEFORE UPDATE ON lanes FOR EACH ROW \
                 WHEN (NEW.lane = {failing} AND NEW.checkpoint >= {last} - 100) EXECUTE FUNCTION fail()"
            ),
        )
        .await;
        let last = Position::new(last);
        // Two pages of which the second fails in one lane, so that lanes stand apart.
        let stops = [Position::new(last.get() - 101), last];
        let first = catch_up_to(&*store, &mut projector(&store, &documents, lanes), stops[0]).await;
        assert_eq!(first.unwrap(), stops[0]);
        catch_up_to(&*store, &mut projector(&store, &documents, lanes), last).await.unwrap_err();
        let apart = crate::place::number(&mut sql, "SELECT count(DISTINCT checkpoint) FROM lanes").await;
        assert_eq!(apart, 2, "some lanes are ahead");
        run(&mut sql, "DROP TRIGGER fail ON lanes").await;
        // Another number goes on in the lanes there are until all stand at one position. Its page ends elsewhere: of it
        // the lanes that are ahead have one part, and lack the other.
        let beyond = Position::new(last.get() + 50);
        catch_up_to(&*store, &mut projector(&store, &documents, lanes % 3 + 1), beyond).await.unwrap();
        assert_eq!(crate::place::number(&mut sql, "SELECT count(*) FROM lanes").await, 0);
    }
    catch_up(&*store, &mut projector(&store, &documents, 4)).await.unwrap();
    assert_eq!(all(&documents).await, expected);

    // And so does a rebuild, which then is compared by the server.
    let rebuild = Rebuild::new(Registered::new(Fields), store.clone(), documents.clone()).lanes(3);
    let rebuilt = rebuild.compare(&mut |_| ()).await.unwrap();
    assert_eq!((rebuilt.comparison.unwrap().differences(), rebuilt.switched), (0, true));
    assert_eq!(all(&documents).await, expected);
}

//! A page that comes again, after a crash or from a runner that was paused past its lease, when later commands were
//! carried out meanwhile.

use super::*;

/// The first order asks for a hat by the command that is given, the second has one received.
#[derive(Clone)]
struct Asks(StockCommand);

impl Policy for Asks {
    const NAME: &'static str = "asks";
    type Event = OrderEvent;

    fn react(&self, _: &OrderEvent, recorded: &RecordedEvent) -> Vec<Issued> {
        let command = match recorded.position.get() {
            2 => self.0.clone(),
            _ => StockCommand::Receive { quantity: 1 },
        };
        vec![Issued::to::<StockItem>("hat", command)]
    }
}

/// The types of the events that `command` and what follows it leave when their page comes once, and when it comes again.
async fn left_by(command: StockCommand) -> [Vec<String>; 2] {
    let room = Room::new(0).await;
    for order in 1..=2 {
        place(&*room.store, order, &[("hat", 1)]).await;
    }
    let run = async || {
        let checkpoints: Arc<MemoryDocuments> = Arc::default();
        let mut runner = PolicyRunner::new(Asks(command.clone()), room.engine.clone(), checkpoints);
        catch_up(&*room.store, &mut runner).await.unwrap();
        let stream = StreamId::new("stock", "hat").unwrap();
        let events = room.store.read(&stream, VersionRange::ALL, PageLimit::DEFAULT).await.unwrap();
        events.iter().skip(1).map(|event| event.event_type.to_string()).collect()
    };
    [run().await, run().await]
}

/// Broken on purpose: give commands of policies fresh ids, and the hat that was refused is reserved.
#[tokio::test]
async fn a_command_that_left_an_event_changes_nothing_when_it_comes_again() {
    let [once, again] = left_by(StockCommand::Ask { order: 1, quantity: 1 }).await;
    assert_eq!(once, ["Refused", "Received"]);
    assert_eq!(again, once);
}

/// What the documentation of [`Policy`] warns of.
#[tokio::test]
async fn a_command_that_left_nothing_is_decided_anew_behind_later_ones() {
    let [once, again] = left_by(StockCommand::Reserve { order: 1, quantity: 1 }).await;
    assert_eq!(once, ["Received"]);
    assert_eq!(again, ["Received", "Reserved"]);
}

use crate::fixture::{StockCommand, StockEvent, StockItem, TooFew, delegate, repeatable, shop};
use crate::*;
use proptest::prelude::*;
use std::sync::Arc;

const RECEIVE_1: StockCommand = StockCommand::Receive { quantity: 1 };
const RESERVE_1: StockCommand = StockCommand::Reserve { order: 1, quantity: 1 };

type Outcome = Result<Done, ExecuteError<TooFew>>;

async fn run(engine: &Engine, command: &StockCommand, context: Context) -> Outcome {
    engine.execute::<StockItem>("hat", command, context).await
}

fn as_repeat(done: &Done) -> Done {
    Done { repeated: true, ..done.clone() }
}

#[tokio::test]
async fn a_command_is_loaded_decided_and_appended() {
    let (_, engine) = shop();
    let done = run(&engine, &RECEIVE_1, Context::new()).await.unwrap();
    assert_eq!((done.version, done.position, done.events), (Version::new(1), Position::new(1), 1));
    assert_eq!((done.repeated, done.attempts), (false, 1));
    let state = engine.load::<StockItem>("hat").await.unwrap();
    assert_eq!((state.state.free, state.version, state.position), (1, done.version, done.position));
    assert_eq!(engine.load::<StockItem>("scarf").await.unwrap().version, Version::EMPTY);
}

#[tokio::test]
async fn a_command_that_decides_nothing_tells_where_the_stream_stands() {
    let (_, engine) = shop();
    run(&engine, &RECEIVE_1, Context::new()).await.unwrap();
    let cleared = run(&engine, &StockCommand::Clear, Context::new()).await.unwrap();
    let nothing = run(&engine, &StockCommand::Clear, Context::new()).await.unwrap();
    assert_eq!((nothing.version, nothing.position), (cleared.version, cleared.position));
    assert_eq!((nothing.events, nothing.repeated), (0, false));
}

/// Broken on purpose, each makes this fail: leave out the look-up in `confirm`, or fold the events of a repeat.
#[tokio::test]
async fn a_command_sent_twice_is_done_once_and_answered_with_its_first_result() {
    let (store, engine) = shop();
    let elsewhere = Engine::new(store.clone());
    let (_, receive) = repeatable();
    let first = run(&engine, &RECEIVE_1, receive()).await.unwrap();
    for engine in [&engine, &elsewhere] {
        assert_eq!(run(engine, &RECEIVE_1, receive()).await.unwrap(), as_repeat(&first));
    }
    let two = StockCommand::Reserve { order: 1, quantity: 2 };
    let refused = run(&engine, &two, Context::new()).await;
    assert_eq!(refused.unwrap_err().rejection(), Some(TooFew { free: 1 }), "a repeat is not folded twice");

    // The hard case: what the first arrival did makes the rules refuse the second.
    let (_, reserve) = repeatable();
    let first = run(&engine, &RESERVE_1, reserve()).await.unwrap();
    for engine in [&engine, &elsewhere] {
        assert_eq!(run(engine, &RESERVE_1, reserve()).await.unwrap(), as_repeat(&first));
    }
    assert_eq!(*store.head().borrow(), Position::new(2));
    let refused = run(&engine, &RESERVE_1, Context::new()).await;
    assert_eq!(refused.unwrap_err().rejection(), Some(TooFew { free: 0 }), "another command is refused");
}

#[tokio::test]
async fn a_repeat_that_would_decide_nothing_or_something_else_gets_its_first_result() {
    let (_, engine) = shop();
    run(&engine, &StockCommand::Receive { quantity: 3 }, Context::new()).await.unwrap();
    let (_, clear) = repeatable();
    let first = run(&engine, &StockCommand::Clear, clear()).await.unwrap();
    assert_eq!(run(&engine, &StockCommand::Clear, clear()).await.unwrap(), as_repeat(&first), "nothing now");
    run(&engine, &StockCommand::Receive { quantity: 5 }, Context::new()).await.unwrap();
    assert_eq!(
        run(&engine, &StockCommand::Clear, clear()).await.unwrap(),
        as_repeat(&first),
        "5 and not 3 now"
    );
    assert_eq!(engine.load::<StockItem>("hat").await.unwrap().state.free, 5);
}

#[tokio::test]
async fn one_command_id_on_two_aggregates_is_two_commands() {
    let (store, engine) = shop();
    let (_, receive) = repeatable();
    for sku in ["hat", "scarf"] {
        assert!(!engine.execute::<StockItem>(sku, &RECEIVE_1, receive()).await.unwrap().repeated);
    }
    assert_eq!(*store.head().borrow(), Position::new(2));
}

/// Broken on purpose: report the verdict on a cached state without reading the tail, and this fails.
#[tokio::test]
async fn a_stale_cache_rejects_nothing() {
    let (store, here) = shop();
    let there = Engine::new(store);
    run(&here, &RECEIVE_1, Context::new()).await.unwrap();
    run(&there, &StockCommand::Receive { quantity: 5 }, Context::new()).await.unwrap();
    let done = run(&here, &StockCommand::Reserve { order: 1, quantity: 6 }, Context::new()).await.unwrap();
    assert_eq!((done.version, done.attempts), (Version::new(3), 1));
    // Neither does it answer that there is nothing to do.
    run(&there, &StockCommand::Receive { quantity: 2 }, Context::new()).await.unwrap();
    assert_eq!(run(&here, &StockCommand::Clear, Context::new()).await.unwrap().events, 1);
}

#[tokio::test]
async fn a_stale_cache_is_found_out_by_the_append() {
    let (store, here) = shop();
    let there = Engine::new(store);
    for engine in [&here, &there, &here] {
        run(engine, &RECEIVE_1, Context::new()).await.unwrap();
    }
    let state = here.load::<StockItem>("hat").await.unwrap();
    assert_eq!((state.state.free, state.version), (3, Version::new(3)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buyers_in_two_engines_never_oversell() {
    for cache in [0, CACHE_ENTRIES_MAX] {
        let store = Arc::new(MemoryStore::new());
        let engine = || Arc::new(Engine::new(store.clone()).cache_entries_max(cache).attempts_max(1_000));
        let engines = [engine(), engine()];
        run(&engines[0], &StockCommand::Receive { quantity: 100 }, Context::new()).await.unwrap();
        let mut buyers = tokio::task::JoinSet::new();
        for order in 0..300_u64 {
            let engine = engines[order as usize % 2].clone();
            let reserve = StockCommand::Reserve { order, quantity: 1 };
            buyers.spawn(async move { run(&engine, &reserve, Context::new()).await });
        }
        let (mut sold, mut refused) = (0, 0);
        for outcome in buyers.join_all().await {
            match outcome {
                Ok(_) => sold += 1,
                Err(ExecuteError::Rejected(TooFew { free: 0 })) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!((sold, refused), (100, 200), "with a cache of {cache}");
        assert_eq!(engines[1].load::<StockItem>("hat").await.unwrap().state.free, 0);
    }
}

/// Broken on purpose: enter no gate, and commands of one process are contended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_of_one_process_do_not_fight_each_other() {
    let engine = Arc::new(Engine::new(Arc::new(Slow(MemoryStore::new()))).attempts_max(1));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let engine = engine.clone();
        tasks.spawn(async move {
            for _ in 0..10 {
                run(&engine, &RECEIVE_1, Context::new()).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(engine.load::<StockItem>("hat").await.unwrap().state.free, 640);
}

fn any_command() -> impl Strategy<Value = StockCommand> {
    prop_oneof![
        (1..5_u32).prop_map(|quantity| StockCommand::Receive { quantity }),
        Just(StockCommand::Clear),
        (0..100_u64, 0..5_u32).prop_map(|(order, quantity)| StockCommand::Ask { order, quantity }),
        (0..100_u64, 1..5_u32).prop_map(|(order, quantity)| StockCommand::Reserve { order, quantity }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Broken on purpose: keep the state that was decided ahead after a link was not written as decided.
    #[test]
    fn commands_in_one_go_are_answered_as_one_after_the_other(
        commands in proptest::collection::vec(any_command(), 1..150),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(in_one_go_as_one_by_one(commands));
    }
}

async fn in_one_go_as_one_by_one(commands: Vec<StockCommand>) {
    let ((_, alone), (_, together)) = (shop(), shop());
    let ids: Vec<CommandId> = commands.iter().map(|_| CommandId::random()).collect();
    let stream = StreamId::new("stock", "hat").unwrap();
    let told = |outcome: &Outcome| match outcome {
        Ok(done) => (done.version, done.events, done.repeated, String::new()),
        Err(error) => (Version::EMPTY, 0, false, error.to_string()),
    };
    // The second time each command that left events is a repeat.
    for _ in 0..2 {
        let mut expected = vec![];
        for (command, id) in commands.iter().zip(&ids) {
            expected.push(told(&run(&alone, command, Context::of(*id)).await));
        }
        let all: Vec<_> =
            commands.iter().zip(&ids).map(|(command, id)| (command, Context::of(*id))).collect();
        let outcomes = together.execute_all_on::<StockItem>(&stream, &all).await;
        assert_eq!(outcomes.iter().map(told).collect::<Vec<_>>(), expected);
    }
    let (alone, together) = (alone.load::<StockItem>("hat").await, together.load::<StockItem>("hat").await);
    assert_eq!(alone.unwrap().state, together.unwrap().state);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buyers_in_one_go_in_two_engines_never_oversell() {
    let store = Arc::new(MemoryStore::new());
    let engines = [0, 1].map(|_| Arc::new(Engine::new(store.clone()).attempts_max(1_000)));
    run(&engines[0], &StockCommand::Receive { quantity: 100 }, Context::new()).await.unwrap();
    let stream = StreamId::new("stock", "hat").unwrap();
    let mut buyers = tokio::task::JoinSet::new();
    for buyer in 0..20_u64 {
        let (engine, stream) = (engines[buyer as usize % 2].clone(), stream.clone());
        buyers.spawn(async move {
            let reserve: Vec<_> = (0..15)
                .map(|order| StockCommand::Reserve { order: buyer * 15 + order, quantity: 1 })
                .collect();
            let all: Vec<_> = reserve.iter().map(|command| (command, Context::new())).collect();
            engine.execute_all_on::<StockItem>(&stream, &all).await
        });
    }
    let (mut sold, mut refused) = (0, 0);
    for outcome in buyers.join_all().await.into_iter().flatten() {
        match outcome {
            Ok(_) => sold += 1,
            Err(ExecuteError::Rejected(TooFew { free: 0 })) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((sold, refused), (100, 200));
    assert_eq!(engines[1].load::<StockItem>("hat").await.unwrap().state.free, 0);
}

#[tokio::test]
async fn a_stream_that_always_moves_ends_as_contended() {
    let store = Arc::new(Moving(MemoryStore::new()));
    let engine = Engine::new(store).attempts_max(3);
    let outcome = run(&engine, &RECEIVE_1, Context::new()).await;
    assert!(matches!(outcome, Err(ExecuteError::Contended { attempts: 3, .. })), "{outcome:?}");
}

#[tokio::test]
async fn the_past_can_be_loaded_by_version_and_by_time() {
    let (store, engine) = shop();
    for _ in 0..3 {
        run(&engine, &RECEIVE_1, Context::new()).await.unwrap();
    }
    let free = async |at| engine.load_at::<StockItem>("hat", at).await.unwrap().state.free;
    for version in 0..4 {
        assert_eq!(free(At::Version(Version::new(version))).await, version as u32);
    }
    assert_eq!(free(At::Version(Version::new(9))).await, 3);
    let stream = StreamId::new("stock", "hat").unwrap();
    let events = store.read(&stream, VersionRange::ALL, PageLimit::DEFAULT).await.unwrap();
    for event in &events {
        let until = events.iter().filter(|other| other.recorded_at <= event.recorded_at).count() as u32;
        assert_eq!(free(At::Time(event.recorded_at)).await, until);
    }
    assert_eq!(free(At::Time(events[0].recorded_at - chrono::TimeDelta::microseconds(1))).await, 0);
}

#[tokio::test]
async fn snapshots_are_used_and_never_trusted() {
    let store = Arc::new(MemoryStore::new());
    let engine = || Engine::new(store.clone()).with_snapshots(store.clone());
    let writing = engine();
    for _ in 0..25 {
        run(&writing, &RECEIVE_1, Context::new()).await.unwrap();
        writing.snapshots_kept().await;
    }
    let stream = StreamId::new("stock", "hat").unwrap();
    let of = Fingerprint::of::<StockItem>(&StockItem::SNAPSHOTS.unwrap()).unwrap();
    let kept = store.snapshot(&stream, of).await.unwrap().expect("one is kept every 10 events");
    assert_eq!(kept.version, Version::new(20));

    // It is used: a state that only the snapshot knows shows.
    let marked = StockItem { free: 1_000, ..StockItem::default() };
    let marked = Snapshot { state: Json::of(&marked).unwrap(), version: Version::new(21), ..kept };
    store.keep(&stream, marked.clone()).await.unwrap();
    assert_eq!(engine().load::<StockItem>("hat").await.unwrap().state.free, 1_004);

    // One of another fold is not, nor one that cannot be read.
    let foreign = Snapshot { of: Fingerprint([7; 16]), ..marked.clone() };
    store.keep(&stream, foreign).await.unwrap();
    assert_eq!(engine().load::<StockItem>("hat").await.unwrap().state.free, 25);
    store.keep(&stream, Snapshot { of, state: Json::stored("{\"free\":"), ..marked }).await.unwrap();
    assert_eq!(engine().load::<StockItem>("hat").await.unwrap().state.free, 25);
}

#[tokio::test]
async fn an_event_that_the_program_does_not_know_stops_the_aggregate_and_is_named() {
    let (store, engine) = shop();
    let stream = StreamId::new("stock", "hat").unwrap();
    let strange = EventData::raw(EventId::random(), "Weighed", 1, Json::empty());
    store.append(Commit::to(stream, Expected::NEW, [strange])).await.unwrap();
    let error = run(&engine, &RECEIVE_1, Context::new()).await.unwrap_err();
    let text = error_text(&error);
    assert!(text.starts_with("Weighed in stock-hat at version 1 (position 1) is not a type"), "{text}");
}

#[tokio::test]
async fn a_failure_of_the_store_that_passes_is_not_seen() {
    let store = Arc::new(Flaky { inner: MemoryStore::new(), failures: std::sync::atomic::AtomicU32::new(0) });
    let engine = Engine::new(store.clone());
    // The append arrives, its answer is lost, and the engine sends it again.
    store.failures.store(2, std::sync::atomic::Ordering::Relaxed);
    let done = run(&engine, &RECEIVE_1, Context::new()).await.unwrap();
    assert!(done.repeated, "the second sending was recognised");
    assert_eq!(engine.load::<StockItem>("hat").await.unwrap().state.free, 1);

    store.failures.store(u32::MAX, std::sync::atomic::Ordering::Relaxed);
    let error = run(&engine, &RECEIVE_1, Context::new()).await.unwrap_err();
    assert!(matches!(error, ExecuteError::Failed(ref failure) if failure.is_transient()), "{error:?}");
}

#[tokio::test]
async fn a_stream_of_another_category_is_refused() {
    let (_, engine) = shop();
    let stream = StreamId::new("order", "hat").unwrap();
    let error = engine.execute_on::<StockItem>(&stream, &RECEIVE_1, Context::new()).await.unwrap_err();
    assert!(error.to_string().starts_with("order-hat holds no stock"), "{error}");
}

#[tokio::test]
async fn tenants_do_not_meet() {
    let (_, engine) = shop();
    let hat = StreamId::new("stock", "hat").unwrap();
    for tenant in ["acme", "globex"] {
        let stream = hat.with_tenant(tenant).unwrap();
        let done = engine.execute_on::<StockItem>(&stream, &RECEIVE_1, Context::new()).await.unwrap();
        assert_eq!(done.version, Version::new(1));
    }
    assert_eq!(engine.load_from::<StockItem>(&hat).await.unwrap().version, Version::EMPTY);
}

/// A store in which somebody else is always faster.
struct Moving(MemoryStore);

/// A store that lets others run before it appends.
struct Slow(MemoryStore);

/// A store whose answers to appends get lost so many times.
struct Flaky {
    inner: MemoryStore,
    failures: std::sync::atomic::AtomicU32,
}

delegate!(
    Moving,
    0,
    async fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        let stream = commit.writes()[0].stream.clone();
        let other =
            EventData::of(EventId::random(), &StockEvent::Received { quantity: 1 }, Json::empty()).unwrap();
        self.0.append(Commit::to(stream, Expected::Any, [other])).await?;
        self.0.append(commit).await
    }
);

delegate!(
    Slow,
    0,
    async fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        tokio::task::yield_now().await;
        self.0.append(commit).await
    }
);

delegate!(
    Flaky,
    inner,
    async fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        use std::sync::atomic::Ordering::Relaxed;
        let committed = self.inner.append(commit).await?;
        let lost = self.failures.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok();
        if lost {
            Err(StoreError::transient("waiting for an answer", "the connection was lost").into())
        } else {
            Ok(committed)
        }
    }
);

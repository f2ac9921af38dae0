//! A command that arrives twice is done once.

use crate::{commands, drive::always};
use annals::{
    Aggregate, CommandId, Context, DomainEvent, Engine, EventStore, LogFilter, MemoryStore, PageLimit,
    Position, StreamId,
};
use northwind_aggregates::{GoodsReturn, Order, Payment, StockItem};
use proptest::strategy::Strategy;
use std::{fmt::Debug, sync::Arc};

/// Sends each command `times` under one id and, when `again`, all that left events once more at the end; returns
/// what is in the log then.
async fn log_of<A: Aggregate>(commands: &[A::Command], times: u32, again: bool) -> Vec<(String, String)> {
    let store = Arc::new(MemoryStore::new());
    let engine = Engine::new(store.clone());
    let stream = StreamId::new(A::Event::CATEGORY, "17").unwrap();
    let send = async |index: usize| {
        let context = Context::of(CommandId::of_key(&index.to_string()));
        engine.execute_on::<A>(&stream, &commands[index], context).await.ok()
    };
    let mut done = vec![];
    for index in 0..commands.len() {
        let first = send(index).await;
        for _ in 1..times {
            let answer = send(index).await;
            let place = |done: &annals::Done| (done.version, done.position);
            assert_eq!(answer.as_ref().map(place), first.as_ref().map(place), "command {index}");
        }
        if first.is_some_and(|first| first.events > 0) {
            done.push(index);
        }
    }
    if again {
        for index in done {
            assert!(send(index).await.is_some_and(|answer| answer.repeated), "command {index}");
        }
    }
    let page = store.read_log(Position::START, PageLimit::MAX, &LogFilter::all()).await.unwrap();
    page.events.iter().map(|event| (event.event_type.to_string(), event.payload.to_string())).collect()
}

#[track_caller]
fn done_once<A: Aggregate>(commands: impl Strategy<Value = Vec<A::Command>>)
where
    A::Command: Debug,
{
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    always(commands, |commands| {
        runtime.block_on(async {
            let once = log_of::<A>(&commands, 1, false).await;
            assert_eq!(log_of::<A>(&commands, 3, true).await, once);
        });
    });
}

// How it was broken: with `Context::new()`, so that each arrival has an id of its own, all four fail.
#[test]
fn an_order_does_a_command_once() {
    done_once::<Order>(commands::order());
}

#[test]
fn a_stock_item_does_a_command_once() {
    done_once::<StockItem>(commands::stock());
}

#[test]
fn a_payment_does_a_command_once() {
    done_once::<Payment>(commands::payment());
}

#[test]
fn a_return_does_a_command_once() {
    done_once::<GoodsReturn>(commands::goods_return());
}

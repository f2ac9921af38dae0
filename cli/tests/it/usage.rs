//! Wrong usage is told apart from failure, and says what is right.

use crate::counters::{Shop, Totals, parse, service};
use annals_cli::{Access, CliError, Exit, Global, Stores};

fn printed(error: &CliError) -> String {
    let mut text = vec![];
    error.print(false, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

async fn opened(global: Global) -> CliError {
    Stores::open(&service(Totals::default()), &global, Access::Create).await.unwrap_err()
}

#[tokio::test]
async fn a_store_that_nobody_knows_is_refused_and_the_known_ones_are_named() {
    for url in [
        "mysql://shop:hunter2@db/shop",
        "postgres://shop:hunter2@db:port/shop",
        "postgres://shop:hunter2@db/shop?passwrd=hunter2",
        "postgres://shop:hunter2@db/shop?pasword=hunter2",
        "postgres://shop:hunter2@db/shop?sslmode=hunter3",
        "postgres://shop:hun?ter2@db/shop",
        "postgres://shop:hun#ter2@db/shop",
        "postgres:shop:hunter2@db",
        "northwind.db",
        "memory:x",
        "sqlite:",
        "sqlite://user:hunter2@db/x",
    ] {
        let error = opened(Global { store: Some(url.to_string().into()), ..Global::default() }).await;
        assert_eq!(error.exit(), Exit::Usage, "{url}");
        let text = printed(&error);
        assert!(!text.contains("hunter2") && !text.contains("ter2"), "{text}");
        let next = [
            "next: write --store sqlite:FILE",
            "next: write it as postgres://USER",
            "next: the options are",
            "next: say sslmode",
        ];
        assert!(next.iter().any(|next| text.contains(next)), "{text}");
    }
}

#[tokio::test]
async fn read_models_that_would_not_fit_the_log_are_refused() {
    for (store, views) in [
        ("memory:", "sqlite:views.db"),
        ("sqlite:a.db", "sqlite:a.db"),
        ("sqlite:a.db", "sqlite:b.db?synchronous=full"),
        ("sqlite:a.db", "cosmos://account"),
    ] {
        let (store, views) = (Some(store.to_string().into()), Some(views.to_string().into()));
        let error = opened(Global { store, read_models: views, ..Global::default() }).await;
        assert_eq!(error.exit(), Exit::Usage);
    }
}

#[tokio::test]
async fn an_unknown_read_model_is_wrong_usage_and_the_known_ones_are_named() {
    let shop = Shop::new().await;
    for line in
        ["replay sales", "replay totals sales", "query sales", "parked retry sales x", "parked list sales"]
    {
        let (text, done) = shop.run(line).await;
        let error = done.unwrap_err();
        assert_eq!((error.exit(), &*text), (Exit::Usage, ""), "{line}");
        assert!(printed(&error).contains("name one of: totals"), "{line}");
    }
    let error = shop.run("query mysql://shop:hunter2@db").await.1.unwrap_err();
    assert!(printed(&error).contains("mysql:***") && !printed(&error).contains("hunter2"), "{error}");
    // Nothing was begun for the name that is known.
    assert!(shop.stores.documents.subscribers().await.unwrap().is_empty());
}

#[test]
fn arguments_that_say_nothing_or_too_much_are_refused() {
    for line in [
        "replay",
        "replay --all totals",
        "show",
        "show nohyphen",
        "show Counter-a",
        "show counter-a --at yesterday",
        "show counter-a --at 2026-01-31",
        "show counter-a --version -1",
        "show counter-a --version 1 --at 2026-01-31T00:00:00Z",
        "tail --from x",
        "query",
        "parked",
        "parked retry totals",
        "frobnicate",
    ] {
        let error = parse(line).err().unwrap_or_else(|| panic!("{line} was taken"));
        assert_eq!(error.exit_code(), 2, "{line}");
    }
    let error = parse("show counter-a --at yesterday").err().unwrap().to_string();
    assert!(error.contains("a time looks like 2026-01-31T12:00:00Z"), "{error}");
}

#[test]
fn the_options_stand_before_or_behind_the_command() {
    for line in ["--json --store memory: lag", "lag --json --store memory:"] {
        let program = parse(line).unwrap();
        assert!(program.global.json);
        assert_eq!(program.global.store.unwrap().reveal(), "memory:");
    }
}

//! Stores in files.

use crate::counters::{Shop, Totals, service};
use annals_cli::{Access, Exit, Global, Stores};
use serde_json::json;
use std::path::Path;

fn global(dir: &Path) -> Global {
    let store = Some(format!("sqlite:{}", dir.join("counters.db").display()).into());
    Global { store, ..Global::default() }
}

fn files(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn looking_at_a_missing_log_fails_and_makes_no_file() {
    let dir = tempfile::tempdir().unwrap();
    for access in [Access::Look, Access::Replay] {
        let error = Stores::open(&service(Totals::default()), &global(dir.path()), access).await.unwrap_err();
        assert_eq!(error.exit(), Exit::Failed);
        let mut told = vec![];
        error.print(false, &mut told).unwrap();
        let told = String::from_utf8(told).unwrap();
        assert!(
            told.contains("there is no event log") && told.contains("run `counters demo` first"),
            "{told}"
        );
    }
    assert!(files(dir.path()).is_empty());
    // The control: whoever may make files makes both.
    Stores::open(&service(Totals::default()), &global(dir.path()), Access::Create).await.unwrap();
    assert!(files(dir.path()).iter().any(|name| name == "counters.db"));
    assert!(files(dir.path()).iter().any(|name| name == "counters-views.db"));
}

#[tokio::test]
async fn an_empty_file_is_no_log_and_stays_empty() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("counters.db"), "").unwrap();
    Stores::open(&service(Totals::default()), &global(dir.path()), Access::Look).await.unwrap_err();
    assert_eq!(std::fs::metadata(dir.path().join("counters.db")).unwrap().len(), 0);
}

#[tokio::test]
async fn a_file_that_is_no_log_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("counters.db");
    std::fs::write(&path, "no database").unwrap();
    let error =
        Stores::open(&service(Totals::default()), &global(dir.path()), Access::Create).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Failed);
    assert_eq!(std::fs::read(&path).unwrap(), b"no database");
    let mut told = vec![];
    error.print(false, &mut told).unwrap();
    let told = String::from_utf8(told).unwrap();
    assert!(told.contains("next: name another file with --store sqlite:FILE"), "{told}");
}

#[tokio::test]
async fn read_models_that_are_missing_are_empty_until_they_are_replayed() {
    let dir = tempfile::tempdir().unwrap();
    let service = service(Totals::default());
    let global = global(dir.path());
    let open = async |access| Stores::open(&service, &global, access).await.unwrap();
    let shop = Shop::on(open(Access::Create).await);
    shop.raise("a", 3).await;
    drop(shop);
    for file in files(dir.path()).iter().filter(|name| name.contains("views")) {
        std::fs::remove_file(dir.path().join(file)).unwrap();
    }
    let shop = Shop::on(open(Access::Look).await);
    assert_eq!(shop.json("lag").await[0]["events_behind"], 1);
    assert_eq!(shop.run("query totals").await.1.unwrap_err().exit(), Exit::Failed);
    assert_eq!(shop.json("show counter-a").await[0]["state"]["count"], 3);
    drop(shop);
    assert!(files(dir.path()).iter().all(|name| !name.contains("views")), "looking made a file");
    let shop = Shop::on(open(Access::Replay).await);
    let replayed = shop.json("replay --all --diff").await.remove(0);
    assert_eq!((&replayed["differences"], &replayed["switched"]), (&json!(null), &json!(true)));
    drop(shop);
    let shop = Shop::on(open(Access::Look).await);
    assert_eq!(shop.json("query totals a").await[0]["total"], 3);
}

#[tokio::test]
async fn a_check_of_a_file_tells_its_settings() {
    let dir = tempfile::tempdir().unwrap();
    for (query, durable) in [("", true), ("?synchronous=normal", false)] {
        let url = format!("sqlite:{}{query}", dir.path().join("counters.db").display());
        let global = Global { store: Some(url.into()), ..Global::default() };
        let stores = Stores::open(&service(Totals::default()), &global, Access::Create).await.unwrap();
        let shop = Shop::on(stores);
        shop.raise("a", 1).await;
        shop.drain().await;
        let checked = shop.json("check").await.remove(0);
        assert_eq!((&checked["ok"], &checked["settings"]["durable"]), (&json!(true), &json!(durable)));
        assert_eq!(checked["settings"]["journal_mode"], "wal");
        assert_eq!(checked["settings"]["synchronous"], if durable { "full" } else { "normal" });
        // Read models are made anew from the log: theirs is the same whatever the URL of the log says.
        assert_eq!(checked["read_models"]["synchronous"], "normal");
        let (text, _) = shop.run("check").await;
        let told =
            if durable { "commit survives a power cut" } else { "a power cut may take the last commits" };
        let told =
            format!("{told} (under this command's URL; whatever else writes to the file goes by its own)");
        assert!(text.contains(&told) && text.contains("-views.db, synchronous normal"), "{text}");
    }
}

#[tokio::test]
async fn read_models_beyond_the_end_of_the_log_are_a_problem() {
    let dir = tempfile::tempdir().unwrap();
    let service = service(Totals::default());
    let global = global(dir.path());
    let open = async || Stores::open(&service, &global, Access::Create).await.unwrap();
    let shop = Shop::on(open().await);
    shop.raise("a", 1).await;
    shop.drain().await;
    drop(shop);
    for file in files(dir.path()).iter().filter(|name| !name.contains("views")) {
        std::fs::remove_file(dir.path().join(file)).unwrap();
    }
    let (text, done) = Shop::on(open().await).run("check").await;
    assert_eq!(done.unwrap_err().exit(), Exit::Failed);
    assert!(text.contains("made from another log"), "{text}");
}

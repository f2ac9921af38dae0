use super::*;
use std::{fs, path::PathBuf};

fn target() -> PathBuf {
    std::env::temp_dir().join(format!("annals-xtask-{}", std::process::id()))
}

/// Needs the programs of a server; says so where there are none.
#[test]
fn a_server_starts_and_is_gone_when_it_is_dropped() {
    if let Err(lacking) = finding() {
        return annals_services::not_run("a server of xtask", format!("{lacking:#}"));
    }
    let target = target();
    let postgres = Postgres::start(&target, Stay::UntilDropped).unwrap();
    assert!(postgres.server.runs().unwrap());
    let (port, directory) = (postgres.port, postgres.server.directory().to_path_buf());
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    // What a killed run leaves is found by what it wrote down.
    let state = State::read(&directory).unwrap();
    assert_eq!((state.port, state.until_down), (port, false));
    drop(postgres);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(!directory.exists());
    assert!(!Postgres::stop_left(&target).unwrap());
    fs::remove_dir_all(target).unwrap();
}
